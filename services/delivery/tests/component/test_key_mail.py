"""From `key.ready` to the mail and the reveal."""

import re

import pytest
import sqlalchemy as sa
from contracts import DeliveryState, DeliveryUpdated, EmailRequested, KeyReady
from contracts.testing import an_order_cancelled
from delivery.adapters.tables import mails
from delivery.errors import KeyStoreUnavailable, MailDeferred, MailRefused
from delivery.handlers.receive_keys import GIVEN_TO_ANOTHER
from delivery.testing import BUYER, RING, SIGNER, InMemoryKeyStore, RecordingSender, some_keys
from foundation.clock import new_id
from foundation.sealing import seal
from foundation.testing import FixedClock
from persistence.tables import jobs
from servicekit.testing import ServiceHarness
from webkit.testing import order_token


def links_of(sender: RecordingSender, number: int = -1) -> list[tuple[str, str]]:
    part = sender.accepted[number].get_body(("plain",))
    assert part is not None
    return re.findall(r"/keys/([0-9a-f-]{36})#([\w-]+)", part.get_content())


async def states(delivery: ServiceHarness) -> list[DeliveryState]:
    return [message.state for message in await delivery.sent(DeliveryUpdated)]


async def test_keys_are_stored_encrypted_mailed_as_a_link_and_revealed(
    delivery: ServiceHarness, store: InMemoryKeyStore, sender: RecordingSender
) -> None:
    await delivery.deliver(some_keys("SECRET-AAAA", "SECRET-BBBB"))
    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.STORED, DeliveryState.MAILED]
    assert b"SECRET" not in b"".join(store.objects.values())
    assert sender.accepted[0]["To"] == BUYER
    assert b"SECRET" not in sender.tried[0]
    [(delivery_id, token)] = links_of(sender)
    answer = await delivery.http.post(f"/deliveries/{delivery_id}/reveal", json={"token": token})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "keys": [
            {"type": "text/plain", "value": "SECRET-AAAA"},
            {"type": "text/plain", "value": "SECRET-BBBB"},
        ],
        "reveals_left": 4,
    }


async def test_retry_after_a_lost_answer_writes_the_same_bytes(
    delivery: ServiceHarness, store: InMemoryKeyStore, clock: FixedClock
) -> None:
    store.drop_answers = 1
    await delivery.deliver(some_keys())
    await delivery.run_jobs()
    clock.advance(5)

    await delivery.run_jobs()

    assert len(store.puts) == 2
    assert store.puts[0] == store.puts[1]
    assert DeliveryState.STORED in await states(delivery)


async def test_order_gets_one_mail_when_all_its_lines_are_stored(
    delivery: ServiceHarness, sender: RecordingSender
) -> None:
    order_id = new_id()
    await delivery.deliver(some_keys("A-1", order_id=order_id, lines_in_order=2))
    await delivery.run_jobs()
    assert sender.accepted == []

    await delivery.deliver(some_keys("B-2", order_id=order_id, lines_in_order=2))
    await delivery.run_jobs()

    assert len(sender.accepted) == 1
    assert len(links_of(sender)) == 2


async def test_late_line_gets_a_mail_of_its_own(
    delivery: ServiceHarness, sender: RecordingSender, clock: FixedClock
) -> None:
    order_id = new_id()
    await delivery.deliver(some_keys("A-1", order_id=order_id, lines_in_order=2))
    await delivery.run_jobs()
    clock.advance(60)
    await delivery.run_jobs()
    assert [len(links_of(sender, number)) for number in range(len(sender.accepted))] == [1]

    await delivery.deliver(some_keys("B-2", order_id=order_id, lines_in_order=2))
    await delivery.run_jobs()

    assert [len(links_of(sender, number)) for number in range(len(sender.accepted))] == [1, 1]


async def test_deferred_mail_is_sent_again_byte_for_byte(
    delivery: ServiceHarness, sender: RecordingSender, clock: FixedClock
) -> None:
    sender.failures = [MailDeferred("lost after DATA")]
    await delivery.deliver(some_keys())
    await delivery.run_jobs()
    clock.advance(5)

    await delivery.run_jobs()

    assert len(sender.tried) == 2
    assert sender.tried[0] == sender.tried[1]
    assert await states(delivery) == [DeliveryState.STORED, DeliveryState.MAILED]


async def test_refused_mail_is_reported_and_does_not_hide_the_key(
    delivery: ServiceHarness, sender: RecordingSender, clock: FixedClock
) -> None:
    sender.failures = [MailRefused("refused with 550")]
    message = some_keys("A-1")
    await delivery.deliver(message)

    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.STORED, DeliveryState.MAIL_FAILED]
    [stored, _] = await delivery.sent(DeliveryUpdated)
    answer = await delivery.http.post(
        f"/deliveries/{stored.delivery_id}/reveal",
        json={},
        headers=order_headers(message.order_id, clock),
    )
    assert answer.status_code == 200


async def test_mail_that_no_server_takes_is_reported_in_the_end(
    delivery: ServiceHarness, sender: RecordingSender, clock: FixedClock
) -> None:
    sender.failures = [MailDeferred("deferred with 450")] * 2
    await delivery.deliver(some_keys("A-1"))
    await delivery.run_jobs()
    assert await states(delivery) == [DeliveryState.STORED]

    clock.advance(hours=72)
    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.STORED, DeliveryState.MAIL_FAILED]


async def test_mail_without_a_text_ends_and_is_not_tried_for_ever(
    delivery: ServiceHarness, sender: RecordingSender, clock: FixedClock
) -> None:
    key, to = RING.public_key, seal(RING.public_key, BUYER.encode(), "test")
    request = EmailRequested(
        id=new_id(),
        occurred_at=clock.now(),
        kind="sign_in_code",
        subject_key="session-1",
        to=to,
        body=seal(key, b'{"subject": "a mail without a text"}', "test"),
    )

    await delivery.deliver(request)
    await delivery.run_jobs()

    assert sender.tried == []
    async with delivery.database.transaction() as transaction:
        [mail] = (await transaction.execute(sa.select(mails))).all()
        left = await transaction.scalar(sa.select(sa.func.count()).select_from(jobs))
    assert (mail.state, mail.answer, left) == ("failed", "cannot be written: KeyError", 0)


def order_headers(order_id: object, clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {order_token(SIGNER, order_id, now=clock.now())}"}


@pytest.mark.parametrize("again", ["same", "other"])
async def test_second_key_ready_for_a_line_changes_no_key(
    delivery: ServiceHarness, again: str
) -> None:
    first = some_keys("A-1")
    keys = first.keys if again == "same" else some_keys("OTHER-9").keys
    await delivery.deliver(first)
    await delivery.run_jobs()

    await delivery.deliver(first.model_copy(update={"id": new_id(), "keys": keys}))
    await delivery.run_jobs()

    expected = DeliveryState.MAILED if again == "same" else DeliveryState.NEEDS_ATTENTION
    assert (await states(delivery))[-1] is expected


def of_another_line(message: KeyReady) -> KeyReady:
    """The same keys for a line of another order."""
    return message.model_copy(update={"id": new_id(), "line_id": new_id(), "order_id": new_id()})


async def test_key_that_a_buyer_has_is_shown_to_nobody_else(
    delivery: ServiceHarness, store: InMemoryKeyStore
) -> None:
    first = some_keys("A-1")
    second = of_another_line(first)
    await delivery.deliver(first)
    await delivery.run_jobs()

    await delivery.deliver(second)
    await delivery.deliver(second.model_copy(update={"id": new_id()}))  # asked for again
    await delivery.run_jobs()

    told = [m for m in await delivery.sent(DeliveryUpdated) if m.line_id == second.line_id]
    assert [m.state for m in told] == [DeliveryState.NEEDS_ATTENTION] * 2
    assert {m.reason for m in told} == {GIVEN_TO_ANOTHER}
    assert len(store.objects) == 1


async def test_key_that_was_voided_unseen_may_be_given_to_another_buyer(
    delivery: ServiceHarness, store: InMemoryKeyStore
) -> None:
    first = some_keys("A-1")
    cancelled = an_order_cancelled(order_id=first.order_id, line_ids=(first.line_id,))
    await delivery.deliver(first)
    await delivery.run_jobs()

    await delivery.deliver(cancelled, of_another_line(first))
    await delivery.run_jobs()

    assert (await states(delivery))[-1] is DeliveryState.MAILED
    assert len(store.objects) == 2


async def test_store_that_is_away_is_tried_again(
    delivery: ServiceHarness, store: InMemoryKeyStore, clock: FixedClock
) -> None:
    store.failures = [KeyStoreUnavailable("503")]
    await delivery.deliver(some_keys())
    await delivery.run_jobs()
    assert await states(delivery) == []

    clock.advance(5)
    await delivery.run_jobs()

    assert await states(delivery) == [DeliveryState.STORED, DeliveryState.MAILED]
