"""Gauges that a service reads from its own rows every few seconds.

A reading is a query; its first column `value` is the figure, the others are labels with a
closed set of values. Every replica shows the same figures: rules take the maximum.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry, Gauge

from persistence.measures import OTHER


@dataclass(frozen=True)
class Reading:
    """What is read. A combination of labels without a row is 0, a value not listed `other`."""

    name: str
    documentation: str
    query: sa.Select[Any]
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)


class ReadingGauge:
    """One reading with its gauge."""

    def __init__(self, reading: Reading, registry: CollectorRegistry) -> None:
        self.reading = reading
        self._gauge = Gauge(
            reading.name, reading.documentation, list(reading.labels), registry=registry
        )

    def show(self, rows: Sequence[sa.Row[Any]]) -> None:
        """Set the gauge to what was read."""
        figures = dict.fromkeys(product(*self.reading.labels.values()), 0.0)
        for row in rows:
            values = self._values(row)
            figures[values] = figures.get(values, 0.0) + float(row.value or 0)
        for values, figure in figures.items():
            (self._gauge.labels(*values) if values else self._gauge).set(figure)

    def _values(self, row: sa.Row[Any]) -> tuple[str, ...]:
        given = row._mapping  # noqa: SLF001  SQLAlchemy's public name for it
        return tuple(
            str(given[name]) if str(given[name]) in allowed else OTHER
            for name, allowed in self.reading.labels.items()
        )


def age_s(column: sa.ColumnElement[Any]) -> sa.Label[float]:
    """Seconds since the oldest of a column, as `value`; NULL without a row."""
    since = sa.func.clock_timestamp() - sa.func.min(column)
    return sa.cast(sa.extract("epoch", since), sa.Float).label("value")


def number() -> sa.Label[int]:
    """How many rows, as `value`."""
    return sa.func.count().label("value")
