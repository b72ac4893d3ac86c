"""Command line options; each may also come from the environment.

The variable of `--api-key` is `NOWPAYMENTS_SIMULATOR_API_KEY`, and so on; the
command line wins. Secrets are better given in the environment, where `ps`
does not show them.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT_PREFIX = "NOWPAYMENTS_SIMULATOR_"


@dataclass(frozen=True)
class Options:
    """What one simulator runs with; delays are in milliseconds."""

    api_key: str = field(repr=False)
    ipn_secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 9001
    email: str | None = None
    password: str | None = field(default=None, repr=False)
    ipn_callback_url: str | None = None
    public_url: str | None = None
    state: Path | None = None
    step_delay_ms: int = 150
    ipn_attempts: int = 5
    ipn_retry_delay_ms: int = 1000
    access_log: bool = False


class _OptionParser(argparse.ArgumentParser):
    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(
            prog="python -m nowpayments_simulator",
            description="A stand-in for NOWPayments with its own ledger. Development only.",
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
    _add_required(parser)
    _add_optional(parser)
    return Options(**vars(parser.parse_args(arguments)))


def _add_required(parser: _OptionParser) -> None:
    parser.option("api-key", "the value that x-api-key must have", _filled, required=True)
    parser.option("ipn-secret", "the secret IPNs are signed with", _filled, required=True)


def _add_optional(parser: _OptionParser) -> None:
    parser.option("host", "address to listen on", default=Options.host)
    parser.option("port", "port to listen on, 0 for any free one", _count, Options.port)
    parser.option("email", "e-mail that POST /v1/auth wants; without it any will do")
    parser.option("password", "password that POST /v1/auth wants; without it any will do")
    parser.option("ipn-callback-url", "where IPNs go if an invoice does not say")
    parser.option("public-url", "this simulator as a browser reaches it, for pay pages")
    parser.option("state", "file that keeps the ledger over restarts", Path)
    parser.option("step-delay-ms", "wait between two states", _count, Options.step_delay_ms)
    parser.option("ipn-attempts", "how often an IPN is tried", _count, Options.ipn_attempts)
    parser.option(
        "ipn-retry-delay-ms",
        "wait before an IPN is tried again, doubled each time",
        _count,
        Options.ipn_retry_delay_ms,
    )
    parser.option("access-log", "yes to print each request", _yes, Options.access_log)


def _filled(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("must not be empty")
    return text.strip()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError("must be a number of 0 or more")
    return int(text)


def _yes(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise argparse.ArgumentTypeError("must be yes or no")
    return text == "yes"
