"""`python -m stack up | down | demo | status`: run the whole shop on this machine.

Nothing here needs root or containers. Errors are one plain message and exit code 1.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stack import running
from stack.demo import run_demo
from stack.embedded import EmbeddedStack
from stack.errors import StackError
from stack.part_sources import EmbeddedParts, PartSecrets
from stack.parts.broker_choice import choose_broker
from stack.parts.kafka_jars import are_cached
from stack.plan import SERVICES, SIMULATORS
from stack.ports import fixed_ports
from stack.processes import ProcessFolder
from stack.progress import StartProgress
from stack.secrets_file import load_secrets
from stack.stack_env import read_stack_env, write_stack_env

DEFAULT_FOLDER = Path(".stack")

app = typer.Typer(
    help="The embedded stack: the whole shop on this machine, without root or containers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
console = Console()
Folder = Annotated[Path, typer.Option(help="Where data, logs and pid files lie.")]


@app.command()
def up(folder: Folder = DEFAULT_FOLDER) -> None:
    """Start everything, print where it is, and keep it running until Ctrl-C or `down`."""
    with _plain_errors(), _ctrl_c(), running.owning(folder.resolve()) as left:
        if left:
            console.print(f"ended what a killed stack had left: {', '.join(left)}")
        _run(folder.resolve())


@app.command()
def down(folder: Folder = DEFAULT_FOLDER) -> None:
    """End the stack, or what a killed one left behind. Data stays."""
    with _plain_errors():
        ended = running.end(folder.resolve())
        console.print(f"ended: {', '.join(ended)}" if ended else "nothing was running")


@app.command()
def status(folder: Folder = DEFAULT_FOLDER) -> None:
    """Show what runs; exit code 3 if the stack is not ready."""
    variables = read_stack_env(folder)
    if not variables:
        starting = running.is_owned(folder)
        console.print("the stack is starting" if starting else "the stack is not running")
        raise typer.Exit(3)
    console.print(_overview(variables, ProcessFolder(folder)))


@app.command()
def demo() -> None:
    """Sell one custom and one Kinguin key on a stack of its own, and print the timeline."""
    with _plain_errors(), _ctrl_c():
        raise typer.Exit(run_demo(console))


def _run(folder: Path) -> None:
    processes = ProcessFolder(folder)
    secrets = load_secrets(folder)
    ports = fixed_ports()
    part_secrets = PartSecrets(secrets["POSTGRES_PASSWORD"], secrets["S3_SECRET_ACCESS_KEY"])
    with StartProgress(console) as progress:
        what = "Kafka's jars" if are_cached() else "Kafka's jars (45 MB, once)"
        with progress.step(what):
            broker = choose_broker(processes)
        if broker.warning:
            progress.say(broker.warning, "bold red")
        parts = EmbeddedParts(processes, part_secrets, durable=True, broker=broker)
        stack = EmbeddedStack(processes, parts, ports, secrets, progress)
        variables = stack.start().variables
    try:
        write_stack_env(folder, variables)
        console.print(_overview(variables, processes))
        console.print("Everything runs. Ctrl-C or `make down` ends it; data stays in", folder)
        _wait_for_ever()
    finally:
        console.print("stopping ...")
        stack.stop()


def _wait_for_ever() -> None:
    # With a timeout, so that signals are handled in between on every platform.
    never = threading.Event()
    while not never.wait(3600):
        pass


def _overview(variables: dict[str, str], processes: ProcessFolder) -> Table:
    table = Table("what", "where", "process")
    for name in (*SERVICES, *SIMULATORS):
        identity = processes.living(name)
        url = variables[f"{name.replace('-', '_').upper()}_URL"]
        table.add_row(name, url, str(identity.pid) if identity else "[red]not running[/]")
    kind = variables["KAFKA_KIND"]
    table.add_row(f"Kafka ({kind})", variables["KAFKA_BOOTSTRAP_SERVERS"])
    table.add_row("S3", variables["S3_ENDPOINT_URL"])
    table.add_row("mails", variables["MAILBOX_DIR"])
    return table


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except StackError as error:
        console.print(Text(f"error: {error}", "red"), soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@contextmanager
def _ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does; further ones wait until we are done."""

    def interrupt(_number: int, _frame: Any) -> None:
        for number in handled:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    handled = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before: list[Callable[..., Any] | int | None] = [
        signal.signal(number, interrupt) for number in handled
    ]
    try:
        yield
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)
