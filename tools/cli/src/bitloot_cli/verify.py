"""`bitloot verify`: the invariants of the whole system against a running one.

Reads what `<SERVICE>_DATABASE_URL` and `S3_*` name (`.stack/stack.env` of a local stack has
them), writes nothing and decrypts nothing.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer
from bitloot_verify.check import Report, check
from bitloot_verify.invariants import INVARIANTS
from bitloot_verify.reading import SERVICES
from bitloot_verify.sources import Bucket, Simulators, Sources
from botocore.exceptions import BotoCoreError, ClientError
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import DBAPIError

from bitloot_cli.databases import database_urls
from bitloot_cli.environment import read_environment
from bitloot_cli.failure import fail

_SHOWN: Final = 20
_UNREADABLE: Final = 2
_CANNOT_READ: Final = (OSError, DBAPIError, BotoCoreError, ClientError, httpx.HTTPError)


def verify(
    env_file: Annotated[
        Path | None, typer.Option(help="NAME=value lines, for example .stack/stack.env.")
    ] = None,
    since: Annotated[int, typer.Option(min=1, help="How many days back to look.")] = 90,
    pause: Annotated[
        float, typer.Option(min=0, help="Seconds between the two readings that must agree.")
    ] = 60,
    every: Annotated[
        int, typer.Option(min=0, help="Check again each so many seconds, until stopped; 0: once.")
    ] = 0,
    metrics_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Serve invariant_violations here; with --every.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON line.")] = False,
) -> None:
    """Check every invariant; exit code 1 when one is violated, 2 when something cannot be read."""
    variables = read_environment(env_file)
    metrics = _Metrics(metrics_port) if metrics_port else None
    with suppress(KeyboardInterrupt):
        violations = asyncio.run(
            _run(variables, timedelta(days=since), pause, every, _Printer(as_json), metrics)
        )
        raise typer.Exit(1 if violations else 0)


async def _run(
    variables: Mapping[str, str],
    back: timedelta,
    pause: float,
    every: int,
    printer: "_Printer",
    metrics: "_Metrics | None",
) -> int:
    urls = database_urls(variables, SERVICES)
    async with Sources.connect(urls, _bucket(variables), _ledgers(variables)) as known:
        while True:
            since = datetime.now(UTC) - back
            try:
                report = await check(partial(known.read, since), pause)
            except _CANNOT_READ as error:
                if not every:
                    fail(f"something cannot be read: {_first_line(error)}", code=_UNREADABLE)
                printer.console.print(f"not checked: {_first_line(error)}")
            else:
                printer.show(report)
                if metrics:
                    metrics.show(report)
                if not every:
                    return report.violations
            await asyncio.sleep(every)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _bucket(variables: Mapping[str, str]) -> Bucket | None:
    if not variables.get("S3_ENDPOINT_URL"):
        return None
    try:
        return Bucket(
            endpoint_url=variables["S3_ENDPOINT_URL"],
            name=variables["S3_BUCKET"],
            access_key_id=variables["S3_ACCESS_KEY_ID"],
            secret_access_key=SecretStr(variables["S3_SECRET_ACCESS_KEY"]),
            region=variables.get("S3_REGION", "auto"),
        )
    except KeyError as error:
        fail(f"S3_ENDPOINT_URL is set, but {error.args[0]} is not")


def _ledgers(variables: Mapping[str, str]) -> Simulators | None:
    gateway = variables.get("NOWPAYMENTS_SIMULATOR_URL")
    supplier = variables.get("KINGUIN_SIMULATOR_URL")
    return Simulators(gateway, supplier) if gateway and supplier else None


class _Metrics:
    """`invariant_violations{number, name}`, and when they were counted."""

    def __init__(self, port: int) -> None:
        registry = CollectorRegistry()
        self._violations = Gauge(
            "invariant_violations",
            "Violations that two readings show",
            ["number", "name"],
            registry=registry,
        )
        self._checked_at = Gauge(
            "invariants_checked_timestamp_seconds", "End of the last check", registry=registry
        )
        start_http_server(port, registry=registry)

    def show(self, report: Report) -> None:
        for number, found in report.findings.items():
            self._violations.labels(number, INVARIANTS[number].name).set(len(found))
        self._checked_at.set(report.at.timestamp())


class _Printer:
    def __init__(self, as_json: bool) -> None:
        self.console = Console()
        self._as_json = as_json

    def show(self, report: Report) -> None:
        if self._as_json:
            self.console.print_json(json.dumps(_facts(report)), indent=None)
            return
        table = Table("", "invariant", "violations")
        for number, found in report.findings.items():
            shown = [f"{finding.subject}: {finding.says}" for finding in sorted(found)[:_SHOWN]]
            more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
            table.add_row(str(number), INVARIANTS[number].name, "\n".join(shown + more) or "none")
        self.console.print(table)
        self.console.print(f"{report.orders_read} orders, {report.violations} violations")


def _facts(report: Report) -> dict[str, object]:
    return {
        "at": report.at.isoformat(),
        "orders": report.orders_read,
        "violations": {
            INVARIANTS[number].name: [f"{f.subject}: {f.says}" for f in sorted(found)]
            for number, found in report.findings.items()
        },
    }
