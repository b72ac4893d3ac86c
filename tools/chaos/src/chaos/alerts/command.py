"""`python -m chaos alerts`: exit code 0 only if every alert fired, was told once, and was quiet.

Without Prometheus or Alertmanager it says so, loudly, and ends with code 3: nothing was shown.
"""

import asyncio
import random
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Final

import httpx
import typer
from rich.console import Console
from stack.whole_stack import RunningStack, whole_stack

from chaos.alerts.demo import Demonstration
from chaos.alerts.page import Findings, render, table
from chaos.alerts.programs import ProgramMissing, alertmanager_program, prometheus_program
from chaos.customers import Customers
from chaos.proxied_parts import ProxiedParts
from chaos.tcp_proxy import ProxyHost
from chaos.world import World

_SKIPPED: Final = 3
_HTTP_TIMEOUT_S: Final = 30.0
# The slow phase, in which an order that is gone is noticed, begins after four polls, not ten.
_OVERRIDES: Final = {"fulfillment-kinguin": {"KINGUIN_POLL_MAX_ATTEMPTS": "4"}}


def alerts(
    page: Annotated[Path | None, typer.Option(help="The page to write; none without")] = None,
) -> None:
    """Make every alert fire by its fault, with real Prometheus and Alertmanager (ten minutes)."""
    try:
        programs = [prometheus_program(), alertmanager_program()]
    except ProgramMissing as missing:
        typer.secho(f"SKIPPED, nothing was shown: {missing}", fg="red", bold=True, err=True)
        raise typer.Exit(_SKIPPED) from missing
    typer.echo(f"with {', '.join(map(str, programs))}")
    folder = Path(tempfile.mkdtemp(prefix="bitloot-alerts-"))
    dice = random.Random()  # noqa: S311  no secret
    with ProxyHost.running(dice) as host:
        parts = ProxiedParts(folder, host)
        with whole_stack(folder, _OVERRIDES, parts) as stack:
            findings = asyncio.run(_demonstrate(stack, parts, host, dice))
    _finish(findings, page, folder)


async def _demonstrate(
    stack: RunningStack, parts: ProxiedParts, host: ProxyHost, dice: random.Random
) -> Findings:
    # A kept connection may end at the server's side at the very moment it is used.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S, trust_env=False, limits=limits) as http:
        world = World(stack, parts, host, Customers(stack, http, dice), http, dice)
        return await Demonstration(world, host, typer.echo).run()


def _finish(findings: Findings, page: Path | None, folder: Path) -> None:
    Console(width=150).print(table(findings))
    if page:
        page.write_text(render(findings))
        typer.echo(f"written: {page}")
    problems = list(findings.problems())
    for problem in problems:
        typer.echo(f"FAILED: {problem}")
    if problems:
        typer.echo(f"all logs are kept in {folder}")
        raise typer.Exit(1)
    shutil.rmtree(folder, ignore_errors=True)
    typer.echo(f"alerts: all fired and were told, {findings.seconds:.0f} s")
