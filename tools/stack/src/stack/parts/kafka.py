"""Apache Kafka as one JVM: broker and controller (KRaft) on 127.0.0.1.

Topics are never created by accident: `auto.create.topics.enable` is off. Durability is Kafka's
own; a killed broker keeps what it acknowledged, since the page cache outlives the process.
"""

import base64
import os
import uuid
from pathlib import Path

from stack.errors import PartFailed, StackError
from stack.parts.kafka_client import broker_answers
from stack.parts.kafka_jars import kafka_version, missing_for_apache, resolved_jars
from stack.parts.part import wait_until_ready
from stack.ports import LOOPBACK, free_port
from stack.processes import Command, ProcessFolder

_START_DEADLINE_S = 90.0
_FORMAT_DEADLINE_S = 60.0
_LOGGING = Path(__file__).parents[3] / "kafka" / "log4j2.xml"
_HEAP = ("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Djava.awt.headless=true")
# The first compiler alone: a JVM for minutes never earns back what the second one costs.
_QUICK_START = ("-XX:TieredStopAtLevel=1",)
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "2",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "num.partitions": "12",
    "broker.session.timeout.ms": "6000",  # how long a killed broker keeps its successor waiting
    "broker.heartbeat.interval.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.threads": "1",
}


class ApacheKafka:
    """One broker with its data in `<folder>/kafka`.

    `quick_start` trades lasting speed for an earlier start.
    """

    name = "kafka"
    kind = "apache"

    def __init__(self, processes: ProcessFolder, *, port: int, quick_start: bool = False) -> None:
        self._folder = processes.folder / "kafka"
        self._processes = processes
        self._port = port
        self._options = (*_HEAP, *(_QUICK_START if quick_start else ()))
        self._controller_port = free_port()

    @property
    def bootstrap_servers(self) -> str:
        """Host and port."""
        return f"{LOOPBACK}:{self._port}"

    @property
    def version(self) -> str:
        """The version that pom.xml pins."""
        return kafka_version()

    def start(self) -> None:
        """Fetch the jars if need be, format the storage once, start, wait for the API."""
        missing = missing_for_apache()
        if missing:
            raise StackError(f"Apache Kafka cannot run: {missing}; `make doctor` names the remedy")
        jars = resolved_jars(self._processes)
        self._configure()
        if not (self._folder / "data" / "meta.properties").exists():
            self._format(jars)
        child = self._processes.start(self._command(jars, "kafka.Kafka", str(self._settings)))
        wait_until_ready(
            self.name,
            child,
            self._processes,
            is_ready=lambda: broker_answers(self.bootstrap_servers),
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """Clean shutdown; `at_once` kills it."""
        self._processes.stop(self.name, at_once=at_once)

    @property
    def _settings(self) -> Path:
        return self._folder / "server.properties"

    def _configure(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        address, controller = self.bootstrap_servers, f"{LOOPBACK}:{self._controller_port}"
        settings = _SETTINGS | {
            "listeners": f"PLAINTEXT://{address},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{address}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self._folder / "data"),
        }
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _format(self, jars: Path) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        tool = ("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "--config")
        command = self._command(jars, *tool, str(self._settings), name="kafka-format")
        child = self._processes.start(command)
        code = child.wait(_FORMAT_DEADLINE_S)
        self._processes.forget(command.name)
        if code != 0:
            log = self._processes.log_of(command.name)
            raise PartFailed(command.name, f"failed (exit code {code})", log)

    def _command(self, jars: Path, *arguments: str, name: str = name) -> Command:
        options = (*self._options, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", f"{jars}/*")
        return Command(name, ("java", *options, *arguments), dict(os.environ), grace_s=20.0)
