"""librdkafka's broker from the confluent-kafka wheel, in a process of its own.

Used where Apache Kafka cannot run. It keeps everything in memory, creates topics by itself, and
can neither restart with its data nor rebalance like the real one: tests marked `kafka` are skipped.
"""

import os
import signal
import sys
from pathlib import Path
from types import FrameType

from stack.errors import PartFailed
from stack.parts.kafka_client import broker_answers
from stack.parts.part import wait_until_ready
from stack.processes import Command, ProcessFolder, write_atomically

_START_DEADLINE_S = 20.0
_METADATA_TIMEOUT_S = 10.0


class LibrdkafkaBroker:
    """The broker; it chooses its port itself and writes it to `<folder>/librdkafka`."""

    name = "kafka"
    kind = "librdkafka"

    def __init__(self, processes: ProcessFolder) -> None:
        self._address = processes.folder / "librdkafka"
        self._processes = processes

    @property
    def bootstrap_servers(self) -> str:
        """Host and port that the broker chose."""
        return self._address.read_text().strip()

    @property
    def version(self) -> str:
        """The version of librdkafka."""
        import confluent_kafka

        return str(confluent_kafka.libversion()[0])

    def start(self) -> None:
        """Start the process and wait until the broker answers."""
        self._address.parent.mkdir(parents=True, exist_ok=True)
        self._address.unlink(missing_ok=True)
        arguments = (sys.executable, "-m", "stack.parts.kafka_librdkafka", str(self._address))
        child = self._processes.start(Command(self.name, arguments, dict(os.environ)))
        wait_until_ready(
            self.name,
            child,
            self._processes,
            is_ready=lambda: self._address.exists() and broker_answers(self.bootstrap_servers),
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; its messages are gone then."""
        self._processes.stop(self.name, at_once=at_once)


def main(address: Path) -> None:
    """Hold the broker until SIGTERM."""
    from confluent_kafka import Producer

    holder = Producer({"test.mock.num.brokers": "1", "log_level": 4})
    brokers = holder.list_topics(timeout=_METADATA_TIMEOUT_S).brokers.values()
    first = next(iter(brokers), None)
    if first is None:
        raise PartFailed("librdkafka's broker", "named no address")
    write_atomically(address, f"{first.host}:{first.port}")
    signal.signal(signal.SIGTERM, _leave)
    while True:
        holder.poll(1.0)


def _leave(_number: int, _frame: FrameType | None) -> None:
    # The broker's threads do not join; there is nothing to save.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
