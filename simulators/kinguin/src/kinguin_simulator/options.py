"""Command line options; each may also come from the environment.

The variable of `--api-key` is `KINGUIN_SIMULATOR_API_KEY`, and so on; the
command line wins. Secrets are better given in the environment, where `ps`
does not show them.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

ENVIRONMENT_PREFIX = "KINGUIN_SIMULATOR_"


@dataclass(frozen=True)
class Options:
    """What one simulator runs with; delays are in milliseconds, money in EUR."""

    api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 9002
    webhook_url: str | None = None
    state: Path | None = None
    products: int = 0
    stock: int = 10_000
    balance: Decimal = Decimal(1_000_000)
    delivery_delay_ms: int = 500
    access_log: bool = False


class _OptionParser(argparse.ArgumentParser):
    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(
            prog="python -m kinguin_simulator",
            description="A stand-in for Kinguin with its own ledger. Development only.",
            epilog=f"Each option is also read from {ENVIRONMENT_PREFIX}<NAME>, "
            f"for example {ENVIRONMENT_PREFIX}API_KEY.",
        )
        self._environment = environment

    def option(
        self,
        name: str,
        explanation: str,
        kind: Callable[[str], object] = str,
        default: object = None,
        *,
        required: bool = False,
    ) -> None:
        given = self._environment.get(ENVIRONMENT_PREFIX + name.upper().replace("-", "_"))
        shown = "" if default is None else f" (default {default})"
        self.add_argument(
            f"--{name}",
            type=kind,
            default=given if given is not None else default,
            required=required and given is None,
            help=explanation + shown,
        )


def parse_options(
    arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Options:
    """Read options from `arguments`, else the environment, else the defaults.

    Raises:
        SystemExit: with code 2 and a message when an option is missing or wrong.
    """
    parser = _OptionParser(environment)
    parser.option("api-key", "the value that X-Api-Key must have", _filled, required=True)
    parser.option("webhook-secret", "X-Event-Secret of webhooks", _filled, required=True)
    parser.option("host", "address to listen on", default=Options.host)
    parser.option("port", "port to listen on, 0 for any free one", _count, Options.port)
    parser.option("webhook-url", "where events are posted; without it, none are")
    parser.option("state", "file that keeps the ledger over restarts", Path)
    parser.option("products", "how many generated products to add", _count, Options.products)
    parser.option("stock", "keys each offer starts with", _count, Options.stock)
    parser.option("balance", "EUR the account starts with", _money, Options.balance)
    parser.option("delivery-delay-ms", "time from order to keys", _count, Options.delivery_delay_ms)
    parser.option("access-log", "yes to print each request", _yes, Options.access_log)
    return Options(**vars(parser.parse_args(arguments)))


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError("must be a number of 0 or more")
    return int(text)


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError("must be an amount such as 250.00") from None
    if not amount.is_finite() or amount < 0:
        raise argparse.ArgumentTypeError("must be an amount of 0 or more")
    return amount


def _yes(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise argparse.ArgumentTypeError("must be yes or no")
    return text == "yes"
