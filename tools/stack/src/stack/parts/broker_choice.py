"""Which broker the stack runs: Apache Kafka where it can, else librdkafka's, said loudly.

`KAFKA=apache` or `KAFKA=librdkafka` forces one.
"""

import os
from typing import Protocol

from stack.errors import StackError
from stack.parts.kafka import ApacheKafka
from stack.parts.kafka_jars import missing_for_apache, resolved_jars
from stack.parts.kafka_librdkafka import LibrdkafkaBroker
from stack.parts.part import Part
from stack.ports import free_port
from stack.processes import ProcessFolder


class Broker(Part, Protocol):
    """A Kafka broker that the stack starts."""

    @property
    def kind(self) -> str:
        """`apache` or `librdkafka`."""
        ...

    @property
    def version(self) -> str:
        """The version of its software."""
        ...

    @property
    def bootstrap_servers(self) -> str:
        """Host and port, once started."""
        ...


class BrokerChoice:
    """`kind` is `apache` or `librdkafka`; `warning` says why the latter and what it cannot do."""

    def __init__(self, kind: str, warning: str | None = None) -> None:
        self.kind = kind
        self.warning = warning

    def build(self, processes: ProcessFolder, *, quick_start: bool = False) -> Broker:
        """The broker, not started yet."""
        if self.kind == "apache":
            return ApacheKafka(processes, port=free_port(), quick_start=quick_start)
        return LibrdkafkaBroker(processes)


def choose_broker(processes: ProcessFolder) -> BrokerChoice:
    """Decide, fetching Kafka's jars on the way if they are not cached.

    Raises:
        StackError: the forced broker cannot run, or `KAFKA` names none.
    """
    wanted = os.environ.get("KAFKA", "")
    if wanted not in {"", "apache", "librdkafka"}:
        raise StackError(f"KAFKA must be apache or librdkafka, not {wanted!r}")
    if wanted == "librdkafka":
        return BrokerChoice("librdkafka", _warning("KAFKA=librdkafka asks for it"))
    reason = _apache_hindrance(processes)
    if reason is None:
        return BrokerChoice("apache")
    if wanted == "apache":
        raise StackError(f"KAFKA=apache, but Apache Kafka cannot run: {reason}")
    return BrokerChoice("librdkafka", _warning(reason))


def _apache_hindrance(processes: ProcessFolder) -> str | None:
    missing = missing_for_apache()
    if missing:
        return f"{missing} (`make doctor` names the remedy)"
    try:
        resolved_jars(processes)
    except StackError as error:
        return str(error)
    return None


def _warning(reason: str) -> str:
    return (
        f"NOT APACHE KAFKA: librdkafka's broker runs instead, as {reason}. It keeps nothing over a "
        "restart and does not rebalance; tests of that are skipped."
    )
