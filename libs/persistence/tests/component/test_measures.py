"""What counts: only what was committed, and only labels that were declared."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from persistence.database import Database, Transaction
from persistence.measures import Measure, measure, savepoint
from persistence.readings import Reading, ReadingGauge
from prometheus_client import CollectorRegistry

SALES = Measure("sales", "Sales", {"currency": ("USD", "EUR")})
WAITS = Measure("waits_seconds", "Waits", {}, (1, 10))


def counted(database: Database, name: str = "sales_total", **labels: str) -> float | None:
    return database.measurements.registry.get_sample_value(name, labels)


async def fails_after_a_sale(database: Database) -> None:
    async with database.transaction() as transaction:
        measure(transaction, SALES, currency="USD")
        await transaction.execute(sa.text("SELECT 1/0"))


async def part_fails_after_a_sale(transaction: Transaction) -> None:
    async with savepoint(transaction):
        measure(transaction, SALES, currency="EUR")
        await transaction.execute(sa.text("SELECT 1/0"))


async def test_measurement_counts_after_the_commit_and_not_before(database: Database) -> None:
    database.measurements.show([SALES])

    async with database.transaction() as transaction:
        measure(transaction, SALES, 5, currency="USD")
        before = counted(database, currency="USD")

    assert before == 0
    assert counted(database, currency="USD") == 5


async def test_rolled_back_transaction_counts_nothing(database: Database) -> None:
    database.measurements.show([SALES])

    with pytest.raises(sa.exc.DBAPIError):
        await fails_after_a_sale(database)
    async with database.transaction() as transaction:
        await transaction.execute(sa.text("SELECT 1"))

    assert counted(database, currency="USD") == 0


async def test_rolled_back_savepoint_takes_its_measurements_with_it(database: Database) -> None:
    async with database.transaction() as transaction:
        measure(transaction, SALES, currency="EUR")
        with pytest.raises(sa.exc.DBAPIError):
            await part_fails_after_a_sale(transaction)

    assert counted(database, currency="EUR") == 1


async def test_value_that_was_not_declared_becomes_other(database: Database) -> None:
    async with database.transaction() as transaction:
        measure(transaction, SALES, currency="somebody@example.com")

    assert counted(database, currency="other") == 1
    assert counted(database, currency="somebody@example.com") is None


async def test_measure_with_buckets_is_a_histogram(database: Database) -> None:
    async with database.transaction() as transaction:
        measure(transaction, WAITS, 4)

    assert counted(database, "waits_seconds_bucket", le="10.0") == 1
    assert counted(database, "waits_seconds_bucket", le="1.0") == 0


@pytest.fixture
def shown(database: Database) -> Callable[..., object]:
    registry = CollectorRegistry()
    query = sa.text("SELECT 3 AS value, 'free' AS state UNION SELECT 4, 'secret'").columns(
        value=sa.Integer, state=sa.Text
    )
    rows = sa.select(query.subquery())
    gauge = ReadingGauge(Reading("keys", "Keys", rows, {"state": ("free", "sold")}), registry)

    async def show(**labels: str) -> float | None:
        async with database.engine.connect() as connection:
            gauge.show((await connection.execute(rows)).all())
        return registry.get_sample_value("keys", labels)

    return show


@pytest.mark.parametrize(
    ("state", "figure"), [("free", 3), ("sold", 0), ("other", 4), ("secret", None)]
)
async def test_reading_shows_declared_values_only(
    shown: Callable[..., object], state: str, figure: float | None
) -> None:
    assert await shown(state=state) == figure  # type: ignore[misc]  # a fixture's coroutine
