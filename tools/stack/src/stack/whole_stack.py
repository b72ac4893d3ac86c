"""The whole stack for end-to-end tests: on free ports, in a folder of its own."""

import signal
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from stack.embedded import EmbeddedStack
from stack.endpoints import KafkaServer
from stack.errors import StackError
from stack.mailboxes import Mailbox
from stack.part_sources import PartSource, throwaway_parts
from stack.plan import Plan
from stack.ports import free_ports
from stack.processes import ProcessFolder
from stack.progress import StartProgress
from stack.secrets_file import load_secrets
from stack.shared_parts import this_process
from stack.stack_env import StackEnv
from stack.supervisor import Supervisor
from stack.watchdog import start_watchdog


@dataclass(frozen=True)
class RunningStack:
    """A stack that is ready; `variables` is what `stack.env` would hold."""

    folder: Path
    variables: StackEnv
    mailbox: Mailbox
    kafka: KafkaServer
    plan: Plan
    supervisor: Supervisor | None = None
    """None where an engine keeps the services running."""

    def __getitem__(self, name: str) -> str:
        """A variable of interfaces.md, for example `ORDERS_URL`."""
        return self.variables[name]

    def log(self, name: str) -> Path:
        """The log of a service or part."""
        return ProcessFolder(self.folder).log_of(name)

    def stopped(self, name: str) -> AbstractContextManager[None]:
        """A service ends in order, and starts again at the end of the block.

        Raises:
            StackError: an engine keeps it running.
        """
        if self.supervisor is None:
            raise StackError(f"{name} is kept running by an engine")
        return self.supervisor.stopped(name)

    def kill(self, name: str) -> None:
        """End a service with SIGKILL; it is started again within two seconds.

        Raises:
            StackError: it does not run.
        """
        identity = ProcessFolder(self.folder).living(name)
        if identity is None:
            raise StackError(f"{name} does not run")
        identity.signal_group(signal.SIGKILL)


@contextmanager
def whole_stack(
    folder: Path,
    overrides: Mapping[str, Mapping[str, str]] | None = None,
    parts: PartSource | None = None,
) -> Iterator[RunningStack]:
    """Start everything in `folder`, end it afterwards; `STACK=containers` as for single parts.

    `overrides` adds settings to services, by service name; `parts` come from elsewhere if given.
    The log of the start is `start.log`.

    Raises:
        StackError: something does not start.
    """
    watchdog = start_watchdog(this_process(), folder, remove=False)
    with (folder / "start.log").open("w") as log:
        stack = EmbeddedStack(
            ProcessFolder(folder),
            parts or throwaway_parts(folder),
            free_ports(),
            load_secrets(folder),
            StartProgress(Console(file=log)),
            overrides or {},
        )
        try:
            ready = stack.start()
            plan = ready.plan
            yield RunningStack(
                folder, ready.variables, plan.mail.open(), plan.kafka, plan, stack.supervisor
            )
        finally:
            stack.stop()
            watchdog.kill()
            watchdog.wait()
