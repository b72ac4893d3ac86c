"""The whole stack: parts, databases, topics, migrations, services, sample catalogue.

Everything that does not wait for something else starts at the same time. `start` returns when
every service answers and `stack.env` is written; `stop` ends everything in order.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from contracts.topics import Topic

from stack.catalogue import load_catalogue
from stack.endpoints import KafkaServer
from stack.errors import PartFailed
from stack.part_sources import PartSource
from stack.parts.databases import ensure_database
from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.plan import SERVICES, SERVICES_WITH_DATABASE, SIMULATORS, Plan
from stack.processes import Command, ProcessFolder
from stack.progress import StartProgress
from stack.secrets_file import StackSecrets
from stack.stack_env import StackEnv, issue_admin_token, stack_env
from stack.supervisor import Supervisor
from stack.watchdog import stop_everything

_READY_DEADLINE_S = 90.0
_MIGRATION_DEADLINE_S = 120.0
_THREADS = 24

T = TypeVar("T")


@dataclass(frozen=True)
class ReadyStack:
    """A stack of which everything answers: its plan, and what `stack.env` says of it."""

    plan: Plan
    variables: StackEnv


@dataclass
class EmbeddedStack:
    """One stack in `processes.folder`, its parts from `parts`, its services on `port_by_name`.

    `overrides` adds settings to a service's environment, by service name.
    """

    processes: ProcessFolder
    parts: PartSource
    port_by_name: Mapping[str, int]
    secrets: StackSecrets
    progress: StartProgress
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.processes, self.progress.say)
        self._watch = threading.Thread(target=self.supervisor.watch, daemon=True)

    @property
    def folder(self) -> Path:
        """Where the stack keeps its data, logs and pid files."""
        return self.processes.folder

    def start(self) -> ReadyStack:
        """Start everything and wait until all of it answers.

        Raises:
            StackError: something does not start; the text says what and where its log is.
        """
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            try:
                return self._start_all(pool)
            except BaseException:
                # Before the pool waits for its threads: they wait for these processes.
                self.stop()
                raise

    def stop(self) -> None:
        """End the services, then the parts; returns when no process is left."""
        self.processes.close()
        self.supervisor.stop()
        self.parts.stop()
        stop_everything(self.folder)

    def _start_all(self, pool: ThreadPoolExecutor) -> ReadyStack:
        plan = self._start_parts(pool)
        self._watch.start()
        _results(pool.submit(self._start_one, plan, name) for name in (*SIMULATORS, *SERVICES))
        with self.progress.step("sample catalogue"):
            token = issue_admin_token(plan)
            load_catalogue(plan, token)
        return ReadyStack(plan, stack_env(plan, token))

    def _start_parts(self, pool: ThreadPoolExecutor) -> Plan:
        databases = pool.submit(self._databases)
        kafka = pool.submit(self._kafka)
        objects = pool.submit(self._step, "S3", self.parts.object_store)
        mail = pool.submit(self._step, "mail server", self.parts.mail)
        _results([databases, kafka, objects, mail])
        return Plan(
            folder=self.folder,
            port_by_name=self.port_by_name,
            secrets=self.secrets,
            database_url_by_service=databases.result(),
            kafka=kafka.result(),
            objects=objects.result(),
            mail=mail.result(),
            overrides=self.overrides,
        )

    def _step(self, what: str, work: Callable[[], T]) -> T:
        with self.progress.step(what):
            return work()

    def _databases(self) -> dict[str, str]:
        with self.progress.step("PostgreSQL with a database for each service"):
            server = self.parts.postgres()
            return {
                service: ensure_database(server.url, self.secrets.login(service))
                for service in SERVICES_WITH_DATABASE
            }

    def _kafka(self) -> KafkaServer:
        with self.progress.step("Kafka with its topics"):
            server = self.parts.kafka()
            server.create_topics(topic.value for topic in Topic)
            return server

    def _start_one(self, plan: Plan, name: str) -> None:
        with self.progress.step(name):
            if name in SERVICES_WITH_DATABASE:
                self._migrate(plan.command(name, "migrate"))
            path = "/health/live" if name in SIMULATORS else "/health/ready"
            wait_until_ready(
                name,
                self.supervisor.start(plan.command(name)),
                self.processes,
                is_ready=lambda: http_answers(f"{plan.url(name)}{path}"),
                deadline_s=_READY_DEADLINE_S,
            )

    def _migrate(self, command: Command) -> None:
        child = self.processes.start(command)
        code = child.wait(_MIGRATION_DEADLINE_S)
        self.processes.forget(command.name)
        if code != 0:
            log = self.processes.log_of(command.name)
            raise PartFailed(command.name, f"failed (exit code {code})", log)


def _results(futures: Iterable[Future[Any]]) -> None:
    """Wait until all are done, or raise the first error."""
    done, _ = wait(list(futures), return_when=FIRST_EXCEPTION)
    for future in done:
        future.result()
