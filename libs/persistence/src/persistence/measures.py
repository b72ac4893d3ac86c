"""Counters and histograms that count only what was committed.

A handler notes a measurement with its transaction; it is counted when that has committed,
and forgotten with a rollback. Every label has a closed set of values, so that no secret, no
address and no id can become one: anything else is counted as `other`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from sqlalchemy.ext.asyncio import AsyncConnection

OTHER: Final = "other"
_NOTED: Final = "persistence.measures"


@dataclass(frozen=True)
class Measure:
    """What is counted. With `buckets` (upper bounds in the metric's unit) it is a histogram.

    `labels` names the values that a label may have; a counter's name is without `_total`.
    """

    name: str
    documentation: str
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    buckets: Sequence[float] = ()

    def values(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """The label values in order, each one of the allowed ones or `other`."""
        return tuple(
            given[name] if given[name] in allowed else OTHER
            for name, allowed in self.labels.items()
        )


@dataclass(frozen=True, slots=True)
class _Noted:
    measure: Measure
    amount: float
    values: tuple[str, ...]


class Measurements:
    """The instruments of one application, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._instruments: dict[str, Counter | Histogram] = {}

    def show(self, measures: Sequence[Measure]) -> None:
        """Show measures from the start, at zero: an alert cannot see a first count otherwise."""
        for measure in measures:
            instrument = self._instrument(measure)
            for values in product(*measure.labels.values()):
                if values:
                    instrument.labels(*values)

    def count(self, measure: Measure, amount: float = 1, **labels: str) -> None:
        """Count at once, for what no transaction goes with."""
        self._add(_Noted(measure, amount, measure.values(labels)))

    def _add(self, noted: _Noted) -> None:
        instrument = self._instrument(noted.measure)
        child = instrument.labels(*noted.values) if noted.values else instrument
        if isinstance(child, Histogram):
            child.observe(noted.amount)
        else:
            child.inc(noted.amount)

    def _instrument(self, measure: Measure) -> Counter | Histogram:
        if measure.name not in self._instruments:
            self._instruments[measure.name] = self._new(measure)
        return self._instruments[measure.name]

    def _new(self, measure: Measure) -> Counter | Histogram:
        names = list(measure.labels)
        if measure.buckets:
            return Histogram(
                measure.name,
                measure.documentation,
                names,
                buckets=measure.buckets,
                registry=self.registry,
            )
        return Counter(measure.name, measure.documentation, names, registry=self.registry)

    def committed(self, transaction: AsyncConnection) -> None:
        """Count what was noted with a transaction, which has just committed."""
        for noted in transaction.info.pop(_NOTED, ()):
            self._add(noted)


def begin(transaction: AsyncConnection) -> None:
    """Start with nothing noted: a connection is used for many transactions."""
    transaction.info[_NOTED] = []


def measure(transaction: AsyncConnection, what: Measure, amount: float = 1, **labels: str) -> None:
    """Count it when the transaction has committed; `amount` in the metric's unit."""
    transaction.info[_NOTED].append(_Noted(what, amount, what.values(labels)))


@asynccontextmanager
async def savepoint(transaction: AsyncConnection) -> AsyncIterator[None]:
    """A part that may fail by itself: its measurements go with it."""
    noted = transaction.info[_NOTED]
    before = len(noted)
    try:
        async with transaction.begin_nested():
            yield
    except BaseException:
        del noted[before:]
        raise
