"""For tests: what every consumer has to show, whatever it does.

A service's tests subclass `ConsumerRules` and give one `ConsumerCase` a topic;
`tests/architecture` refuses a subscriber without one. The faults are real: a trigger
that raises in the transaction that took the message, after its other writes.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

import sqlalchemy as sa
from contracts import Message, Topic
from foundation.testing import FixedClock
from persistence.tables import dead_letters

from servicekit.dead_letters import RETRY_DELAYS
from servicekit.testing import ServiceHarness

_UNREADABLE: Final = b'{"type": "unknown.v9"}'
_FOR_EVER: Final = 1_000_000
_BATCH_AND_ALONE: Final = 2
"""Failures until a message is parked: with its batch, and by itself."""


@dataclass(frozen=True, slots=True)
class ConsumerCase:
    """One message and what becomes of it.

    `arrange` prepares the service and gives the message; `effect` reads the facts that
    are `expected` afterwards; `last_write` is the table the handler writes to last.
    """

    topic: Topic
    arrange: Callable[[ServiceHarness], Awaitable[Message]]
    effect: Callable[[ServiceHarness], Awaitable[object]]
    expected: object
    last_write: str
    flags_order: bool = True


class ConsumerRules(ABC):
    """The tests of every consumer; a subclass gives `cases`, `service` and `is_flagged`."""

    cases: ClassVar[Sequence[ConsumerCase]]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """Run each test with each case."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases, ids=[case.topic.value for case in self.cases])

    @abstractmethod
    async def is_flagged(self, service: ServiceHarness, order_id: UUID) -> bool:
        """Whether somebody was told that a person must look at this order."""

    async def test_message_has_its_effect(
        self, service: ServiceHarness, clock: FixedClock, case: ConsumerCase
    ) -> None:
        """Happy path: rows and outgoing messages are as expected."""
        await service.deliver(await case.arrange(service))

        await _settle(service, clock)

        await _has_effect(service, case)

    async def test_same_message_again_changes_nothing(
        self, service: ServiceHarness, clock: FixedClock, case: ConsumerCase
    ) -> None:
        """Duplicate: not one row of the whole database differs."""
        message = await case.arrange(service)
        await service.deliver(message)
        before = await _rows(service)

        await service.deliver(message)

        assert await _rows(service) == before, "the second copy left a trace"
        await _settle(service, clock)
        await _has_effect(service, case)

    async def test_failure_that_passes_delays_the_effect_and_does_not_double_it(
        self, service: ServiceHarness, clock: FixedClock, case: ConsumerCase
    ) -> None:
        """Transient failure: nothing remains of the failed tries, the job has it happen."""
        message = await case.arrange(service)
        before = await _rows(service, besides=("dead_letters", "jobs"))
        await _break(service, case.last_write, message, times=_BATCH_AND_ALONE)

        await service.deliver(message)

        assert len(await _letters(service)) == 1, "the message was not parked"
        after = await _rows(service, besides=("dead_letters", "jobs"))
        assert after == before, "a failed try left something behind"
        await _settle(service, clock)
        await _has_effect(service, case)
        assert await _letters(service) == [], "the letter stays after its effect"

    async def test_message_that_always_fails_is_kept_whole_and_its_order_flagged(
        self, service: ServiceHarness, clock: FixedClock, case: ConsumerCase
    ) -> None:
        """Permanent failure: given up after the last try, without any effect."""
        message = await case.arrange(service)
        await _break(service, case.last_write, message, times=_FOR_EVER)
        await service.deliver(message)

        for delay in RETRY_DELAYS:
            clock.advance(delay.total_seconds() + 1)
            await service.run_jobs()

        await self._is_given_up(service, case, message, message.model_dump_json().encode())
        assert await case.effect(service) != case.expected, "it had its effect after all"

    async def test_message_that_cannot_be_read_is_kept_whole_and_its_order_flagged(
        self, service: ServiceHarness, case: ConsumerCase
    ) -> None:
        """Permanent failure of the other kind: given up at once."""
        message = await case.arrange(service)

        await service.deliver_raw(message.topic, _UNREADABLE, key=message.key.encode())

        await self._is_given_up(service, case, message, _UNREADABLE)

    async def _is_given_up(
        self, service: ServiceHarness, case: ConsumerCase, message: Message, body: bytes
    ) -> None:
        [letter] = await _letters(service)
        assert (letter.topic, letter.body) == (message.topic, body), "the letter is not whole"
        assert letter.given_up_at is not None, "it is still tried again"
        if case.flags_order:
            assert await self.is_flagged(service, UUID(message.key)), "nobody looks at its order"


async def _settle(service: ServiceHarness, clock: FixedClock) -> None:
    clock.advance(RETRY_DELAYS[0].total_seconds() + 1)
    await service.run_jobs()


async def _has_effect(service: ServiceHarness, case: ConsumerCase) -> None:
    found = await case.effect(service)
    assert found == case.expected, f"found {found}, expected {case.expected}"


async def _letters(service: ServiceHarness) -> Sequence[sa.Row[Any]]:
    async with service.database.transaction() as transaction:
        return (await transaction.execute(sa.select(dead_letters))).all()


async def _rows(service: ServiceHarness, besides: Sequence[str] = ()) -> dict[str, list[str]]:
    """Every row of every table as text."""
    async with service.database.transaction() as transaction:
        tables = await transaction.scalars(
            sa.text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        found = {}
        for name in set(tables) - set(besides):
            rows = await transaction.scalars(sa.text(f'SELECT t::text FROM "{name}" t'))  # noqa: S608  no input
            found[name] = sorted(rows)
    return found


async def _break(service: ServiceHarness, table: str, message: Message, *, times: int) -> None:
    """Let writes to a table fail in the transaction that took this message, so many times.

    A sequence counts: a rollback does not take it back.
    """
    statements = (
        "CREATE SEQUENCE faults",
        f"""
        CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF EXISTS (SELECT FROM inbox WHERE message_id = '{message.id}') THEN
                IF nextval('faults') <= {times} THEN
                    RAISE EXCEPTION 'a fault of this test' USING ERRCODE = 'internal_error';
                END IF;
            END IF;
            RETURN NULL;
        END $$""",
        f"""
        CREATE TRIGGER fault AFTER INSERT OR UPDATE ON {table}
        FOR EACH ROW EXECUTE FUNCTION fault()""",
    )
    async with service.database.transaction() as transaction:
        for statement in statements:
            await transaction.execute(sa.text(statement))
