"""`python -m chaos crash | faults | volume | model | ...`, each on its own stack.

Exit code 0 only if every run passed and no invariant is violated. The seed is printed first
and repeats the choice of runs; each battery writes its outcome to a folder for the evidence.
"""

import asyncio
import random
import secrets
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import httpx
import typer
from stack.whole_stack import RunningStack, whole_stack

from chaos import crash_sweep, evidence, tested
from chaos.alerts.command import alerts
from chaos.arming import Arming, Triggers
from chaos.crash_sweep import CrashSweep
from chaos.customers import Customers
from chaos.fault_matrix import FaultMatrix
from chaos.key_change import KeyChange
from chaos.outcome import Outcome
from chaos.points import POINTS, Place, places
from chaos.proxied_parts import ProxiedParts
from chaos.scenarios import SCENARIOS, SHORT, Scenario
from chaos.steady import steady
from chaos.tcp_proxy import ProxyHost
from chaos.volume import Volume
from chaos.world import World

OUT = Path("dist/chaos")
_HTTP_TIMEOUT_S = 30.0
_PAGE_PAUSE_S = 2.0  # a crowd that looks twice a second costs the shop more than its orders do

app = typer.Typer(
    help="The battery: faults on a running stack, and what must hold after each.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(alerts)
app.command()(tested.model)
app.command()(tested.contention)
Seed = Annotated[int | None, typer.Option(help="Repeats an earlier choice; random without.")]
Runs = Annotated[int, typer.Option(min=1, help="At most so many runs, chosen by the seed.")]
Minutes = Annotated[float, typer.Option(help="After so many no further run begins.")]
Out = Annotated[Path, typer.Option(help="Where the outcome is written, as <battery>.json.")]


@app.command()
def points() -> None:
    """List every crash point: where it stands, and in which services it is passed."""
    for point in POINTS:
        typer.echo(f"{point.name:28} {', '.join(point.services)}: {point.says}")


@app.command()
def crash(
    points: Annotated[
        str, typer.Option(help="Comma-separated: `kinguin.after_post` or `orders:relay.after_send`")
    ] = "",
    signals: Annotated[str, typer.Option(help="KILL, TERM or both")] = "KILL,TERM",
    hits: Annotated[str, typer.Option(help="Which pass ends the process")] = "1,2",
    lanes: Annotated[int, typer.Option(min=1, max=5, help="Services in a run at once")] = 2,
    runs: Runs = 1000,
    minutes: Minutes = 24 * 60.0,
    seed: Seed = None,
    out: Out = OUT,
) -> None:
    """End services at named points under load: each point, each signal, first and second hit."""
    number = _say_seed(seed)
    dice = random.Random(number)  # noqa: S311  repeatable, no secret
    armings = crash_sweep.plan(
        _chosen(points),
        dice,
        endings=signals.split(","),
        hits=[int(hit) for hit in hits.split(",")],
    )[:runs]
    outcome = Outcome("crash", number)
    with tempfile.TemporaryDirectory(prefix="bitloot-points-") as triggers_folder:
        triggers = Triggers(Path(triggers_folder))
        folder = Path(tempfile.mkdtemp(prefix="bitloot-chaos-"))
        with whole_stack(folder, steady(triggers.settings())) as stack:
            asyncio.run(_sweep(stack, triggers, outcome, dice, armings, (lanes, 60 * minutes)))
    _finish(outcome, out, folder)


async def _sweep(
    stack: RunningStack,
    triggers: Triggers,
    outcome: Outcome,
    dice: random.Random,
    armings: Sequence[Arming],
    limits: tuple[int, float],
) -> None:
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S, trust_env=False) as http:
        customers = Customers(stack, http, dice)
        await CrashSweep(stack, customers, triggers, outcome, typer.echo, *limits).run(armings)


@app.command()
def faults(
    only: Annotated[str, typer.Option(help="Comma-separated beginnings of scenario names")] = "",
    longest: Annotated[float, typer.Option(help="No fault is held for more seconds")] = 300.0,
    short: Annotated[bool, typer.Option(help="One quick scenario of each kind")] = False,
    shuffled: Annotated[bool, typer.Option(help="In an order that the seed chooses")] = False,
    runs: Runs = 1000,
    minutes: Minutes = 24 * 60.0,
    seed: Seed = None,
    out: Out = OUT,
) -> None:
    """The fault matrix: parts, suppliers, gateway and messages go wrong in every way we know."""
    number = _say_seed(seed)
    dice = random.Random(number)  # noqa: S311  repeatable, no secret
    found = _scenarios(only, short=short)
    chosen = (dice.sample(found, len(found)) if shuffled else found)[:runs]
    outcome = Outcome("faults", number)
    folder = Path(tempfile.mkdtemp(prefix="bitloot-chaos-"))
    with ProxyHost.running(dice) as host:
        parts = ProxiedParts(folder, host)
        keys = KeyChange.prepare(folder)
        with whole_stack(folder, steady(keys.before), parts) as stack:
            limits = (longest, 60 * minutes)
            asyncio.run(_suffer(stack, parts, host, outcome, dice, chosen, keys, limits))
    _finish(outcome, out, folder)


async def _suffer(
    stack: RunningStack,
    parts: ProxiedParts,
    host: ProxyHost,
    outcome: Outcome,
    dice: random.Random,
    chosen: Sequence[Scenario],
    keys: KeyChange,
    limits: tuple[float, float],
) -> None:
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S, trust_env=False) as http:
        customers = Customers(stack, http, dice)
        world = World(stack, parts, host, customers, http, dice, keys.after)
        ends_at = time.monotonic() + limits[1]
        await FaultMatrix(world, outcome, typer.echo, limits[0], ends_at).run(chosen)


@app.command()
def volume(
    orders: Annotated[int, typer.Option(min=1, help="How many")] = 10_000,
    at_once: Annotated[int, typer.Option(min=1, help="Customers at the same time")] = 40,
    in_flight: Annotated[int, typer.Option(min=1, help="Orders open at the same time")] = 1500,
    share: Annotated[float, typer.Option(help="Of the calls outside that fail")] = 0.05,
    seed: Seed = None,
    out: Out = OUT,
) -> None:
    """Many orders of both sources with a share of faults; all settled in ten minutes after."""
    number = _say_seed(seed)
    dice = random.Random(number)  # noqa: S311  repeatable, no secret
    outcome = Outcome("volume", number)
    folder = Path(tempfile.mkdtemp(prefix="bitloot-chaos-"))
    fast = {"fulfillment-kinguin": {"KINGUIN_REQUESTS_PER_SECOND": "200"}}
    with ProxyHost.running(dice) as host:
        parts = ProxiedParts(folder, host, direct=frozenset({"postgres"}))
        with whole_stack(folder, steady(fast), parts) as stack:
            size = (orders, at_once, in_flight, share)
            asyncio.run(_flood(stack, parts, host, outcome, dice, size))
    _finish(outcome, out, folder)


async def _flood(
    stack: RunningStack,
    parts: ProxiedParts,
    host: ProxyHost,
    outcome: Outcome,
    dice: random.Random,
    size: tuple[int, int, int, float],
) -> None:
    async with httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S, trust_env=False) as http:
        customers = Customers(stack, http, dice, pause_s=_PAGE_PAUSE_S)
        world = World(stack, parts, host, customers, http, dice)
        await Volume(world, outcome, typer.echo, *size).run()


@app.command(name="evidence")
def write_evidence(
    cut: Annotated[str, typer.Option(help="full (below 40 minutes) or short (some minutes)")] = (
        "full"
    ),
    page: Annotated[Path | None, typer.Option(help="The page to write; none without")] = None,
    saved: Annotated[bool, typer.Option(help="Run nothing: take what --out holds")] = False,
    seed: Seed = None,
    out: Out = OUT,
) -> None:
    """A bounded run of every battery, and a page that says what they found."""
    if cut not in evidence.CUTS:
        raise typer.BadParameter(f"no such cut: {cut}")
    outcomes = evidence.saved(out) if saved else evidence.gather(cut, _say_seed(seed), out)
    text = evidence.render("saved outcomes" if saved else cut, outcomes)
    (page or out / "evidence.md").write_text(text)
    typer.echo(f"written: {page or out / 'evidence.md'}")
    if not all(outcome.is_good for outcome in outcomes):
        raise typer.Exit(1)


def _scenarios(only: str, *, short: bool) -> list[Scenario]:
    beginnings = tuple(text.strip() for text in only.split(",") if text.strip())
    if short:
        return [scenario for scenario in SCENARIOS if scenario.name in SHORT]
    found = [s for s in SCENARIOS if not beginnings or s.name.startswith(beginnings)]
    if not found:
        raise typer.BadParameter(f"no scenario begins with {only}")
    return found


def _chosen(text: str) -> list[Place]:
    wanted = {name for name in text.split(",") if name}
    every = list(places())
    known = {place.point for place in every} | {str(place) for place in every}
    if unknown := wanted - known:
        raise typer.BadParameter(f"no such point: {', '.join(sorted(unknown))}; see `points`")
    return [p for p in every if not wanted or p.point in wanted or str(p) in wanted]


def _say_seed(seed: int | None) -> int:
    number = secrets.randbelow(2**31) if seed is None else seed
    typer.echo(f"seed {number}")
    return number


def _finish(outcome: Outcome, out: Path, folder: Path) -> None:
    """Write the outcome, say what is wrong, and keep the logs of what went wrong.

    Raises:
        typer.Exit: something is wrong.
    """
    file = outcome.save(out)
    for run in outcome.failures:
        typer.echo(f"FAILED {run.name}: {run.problem}")
    for number, found in outcome.violations.items():
        for finding in found:
            typer.echo(f"VIOLATED invariant {number}: {finding}")
    summary = f"{len(outcome.runs)} runs, {len(outcome.failures)} failed, {outcome.orders} orders"
    violations = sum(map(len, outcome.violations.values()))
    typer.echo(f"{summary}, {violations} violations, {outcome.seconds:.0f} s; {file}")
    if outcome.is_good:
        shutil.rmtree(folder, ignore_errors=True)
        return
    typer.echo(f"all logs are kept in {folder}")
    raise typer.Exit(1)
