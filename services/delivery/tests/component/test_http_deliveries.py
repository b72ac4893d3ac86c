"""Revealing keys: to the buyer, counted, limited, written down, and to nobody else."""

import asyncio
import re
from uuid import UUID

import pytest
import sqlalchemy as sa
from contracts import DeliveryState, DeliveryUpdated, KeyReady, OrderCancelled
from delivery.adapters.tables import reveal_log, wrong_tries
from delivery.bootstrap import Outside, build_service
from delivery.errors import KeyStoreUnavailable
from delivery.settings import DeliverySettings
from delivery.testing import (
    SIGNER,
    InMemoryKeyStore,
    RecordingSender,
    a_sealed_key,
    some_keys,
)
from foundation.clock import new_id
from foundation.sealing import GameKey, KeyRing, new_key_pair
from foundation.testing import FixedClock
from servicekit.testing import ServiceHarness
from webkit.testing import order_token

Link = tuple[str, str]


def newest_link(sender: RecordingSender) -> Link:
    part = sender.accepted[-1].get_body(("plain",))
    assert part is not None
    found: list[Link] = re.findall(r"/keys/([0-9a-f-]{36})#([\w-]+)", part.get_content())
    return found[-1]


def order_headers(order_id: UUID, clock: FixedClock) -> dict[str, str]:
    return {"Authorization": f"Bearer {order_token(SIGNER, order_id, now=clock.now())}"}


@pytest.fixture
def message() -> KeyReady:
    return some_keys("AAAA-1")


@pytest.fixture
async def link(delivery: ServiceHarness, sender: RecordingSender, message: KeyReady) -> Link:
    await delivery.deliver(message)
    await delivery.run_jobs()
    return newest_link(sender)


async def reveal(delivery: ServiceHarness, link: Link) -> int:
    answer = await delivery.http.post(f"/deliveries/{link[0]}/reveal", json={"token": link[1]})
    assert answer.status_code == 200 or answer.headers["content-type"] == "application/problem+json"
    return answer.status_code


async def test_link_shows_the_keys_five_times(delivery: ServiceHarness, link: Link) -> None:
    answers = [await reveal(delivery, link) for _ in range(6)]

    assert answers == [200] * 5 + [410]


async def test_reveals_at_the_same_moment_are_counted_one_by_one(
    delivery: ServiceHarness, link: Link
) -> None:
    answers = await asyncio.gather(*(reveal(delivery, link) for _ in range(6)))

    assert sorted(answers) == [200] * 5 + [410]
    async with delivery.database.transaction() as transaction:
        rows = (await transaction.execute(sa.select(reveal_log.c.reveals_left))).scalars()
    assert sorted(rows) == [0, 1, 2, 3, 4]


async def test_link_ends_after_72_hours(
    delivery: ServiceHarness, link: Link, clock: FixedClock
) -> None:
    clock.advance(hours=71, minutes=59)
    assert await reveal(delivery, link) == 200

    clock.advance(minutes=1)

    assert await reveal(delivery, link) == 410


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(delivery: ServiceHarness, link: Link, method: str) -> None:
    answer = await delivery.http.request(method, f"/deliveries/{link[0]}/reveal")

    assert answer.status_code == 405
    assert [await reveal(delivery, link) for _ in range(5)] == [200] * 5


async def test_wrong_token_unknown_delivery_and_no_id_answer_alike(
    delivery: ServiceHarness, link: Link
) -> None:
    answers = [
        await delivery.http.post(f"/deliveries/{target}/reveal", json={"token": "wrong"})
        for target in (link[0], str(new_id()), "nonsense")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_wrong_tries_are_kept_for_two_weeks(
    delivery: ServiceHarness, link: Link, clock: FixedClock
) -> None:
    await reveal(delivery, (link[0], "wrong"))

    clock.advance(days=14)
    kept = await wrong_tries_left(delivery)
    clock.advance(seconds=1)
    gone = await wrong_tries_left(delivery)

    assert (kept, gone) == (1, 0)


async def wrong_tries_left(delivery: ServiceHarness) -> int:
    await delivery.prune()
    async with delivery.database.transaction() as transaction:
        return len((await transaction.execute(sa.select(wrong_tries))).all())


async def test_too_many_wrong_tokens_are_slowed_down_but_lock_nobody_out(
    delivery: ServiceHarness, link: Link
) -> None:
    wrong = (link[0], "wrong")
    answers = [await reveal(delivery, wrong) for _ in range(12)]

    assert answers == [404] * 10 + [429] * 2
    assert await reveal(delivery, link) == 200


async def test_order_token_opens_its_own_order_only(
    delivery: ServiceHarness, link: Link, message: KeyReady, clock: FixedClock
) -> None:
    url = f"/deliveries/{link[0]}/reveal"

    own = await delivery.http.post(url, json={}, headers=order_headers(message.order_id, clock))
    foreign = await delivery.http.post(url, json={}, headers=order_headers(new_id(), clock))
    nobody = await delivery.http.post(url, json={})

    assert (own.status_code, foreign.status_code, nobody.status_code) == (200, 404, 404)


async def test_admin_cannot_read_a_key(
    delivery: ServiceHarness, link: Link, admin: dict[str, str]
) -> None:
    answer = await delivery.http.post(f"/deliveries/{link[0]}/reveal", json={}, headers=admin)
    listed = await delivery.http.get("/admin/deliveries", headers=admin)

    assert answer.status_code == 404
    assert listed.status_code == 200
    assert "AAAA-1" not in listed.text


async def test_new_link_voids_the_old_one_and_starts_the_count_again(
    delivery: ServiceHarness,
    sender: RecordingSender,
    link: Link,
    message: KeyReady,
    clock: FixedClock,
) -> None:
    for _ in range(5):
        await reveal(delivery, link)

    answer = await delivery.http.post(
        f"/deliveries/{link[0]}/link", headers=order_headers(message.order_id, clock)
    )
    await delivery.run_jobs()

    assert answer.status_code == 202
    assert len(sender.accepted) == 2
    assert await reveal(delivery, link) == 404
    assert await reveal(delivery, newest_link(sender)) == 200


async def test_store_that_is_away_does_not_cost_a_reveal(
    delivery: ServiceHarness, store: InMemoryKeyStore, link: Link
) -> None:
    store.failures = [KeyStoreUnavailable("503")]

    assert await reveal(delivery, link) == 503
    assert [await reveal(delivery, link) for _ in range(5)] == [200] * 5


async def test_object_that_was_tampered_with_is_not_shown(
    delivery: ServiceHarness, store: InMemoryKeyStore, link: Link
) -> None:
    [(name, body)] = store.objects.items()
    store.objects[name] = body[:-1] + bytes([body[-1] ^ 1])

    assert await reveal(delivery, link) == 503


async def test_object_of_another_line_does_not_open(
    delivery: ServiceHarness, store: InMemoryKeyStore, link: Link
) -> None:
    await delivery.deliver(some_keys("OTHER-9"))
    await delivery.run_jobs()
    mine, other = store.objects
    store.objects[mine] = store.objects[other]

    assert await reveal(delivery, link) == 503


async def test_image_key_comes_as_a_picture(
    delivery: ServiceHarness, sender: RecordingSender
) -> None:
    png = b"\x89PNG\r\n\x1a\n\x00\xff"
    await delivery.deliver(some_keys(keys=[a_sealed_key(GameKey("image/png", png))]))
    await delivery.run_jobs()
    delivery_id, token = newest_link(sender)

    answer = await delivery.http.post(f"/deliveries/{delivery_id}/reveal", json={"token": token})

    assert answer.json()["keys"] == [{"type": "image/png", "base64": "iVBORw0KGgoA/w=="}]


@pytest.mark.parametrize("revealed", [True, False])
async def test_cancelled_line_has_a_dead_link_unless_its_key_was_shown(
    delivery: ServiceHarness, link: Link, message: KeyReady, *, revealed: bool
) -> None:
    if revealed:
        await reveal(delivery, link)

    await delivery.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=message.occurred_at,
            order_id=message.order_id,
            line_ids=(message.line_id,),
            reason="asked for",
        )
    )

    last = (await delivery.sent(DeliveryUpdated))[-1]
    assert last.revealed is revealed
    assert last.state is (DeliveryState.REVEALED if revealed else DeliveryState.VOIDED)
    assert await reveal(delivery, link) == (200 if revealed else 410)


async def test_keys_of_a_line_that_was_cancelled_before_are_not_stored(
    delivery: ServiceHarness, store: InMemoryKeyStore, message: KeyReady
) -> None:
    await delivery.deliver(
        OrderCancelled(
            id=new_id(),
            occurred_at=message.occurred_at,
            order_id=message.order_id,
            line_ids=(message.line_id,),
            reason="asked for",
        ),
        message,
    )
    await delivery.run_jobs()

    assert store.objects == {}
    assert [m.state for m in await delivery.sent(DeliveryUpdated)] == [DeliveryState.VOIDED]


async def test_keys_sealed_for_somebody_else_go_to_a_person(delivery: ServiceHarness) -> None:
    stranger = some_keys()
    broken = stranger.keys[0].model_copy(
        update={
            "sealed": stranger.keys[0].sealed.model_copy(update={"recipient_key_id": "retired"})
        }
    )

    await delivery.deliver(stranger.model_copy(update={"keys": (broken,)}))
    await delivery.run_jobs()

    [message] = await delivery.sent(DeliveryUpdated)
    assert message.state is DeliveryState.NEEDS_ATTENTION
    assert "UnknownRecipientKey" in str(message.reason)


async def test_keys_that_can_be_opened_after_all_are_stored_when_they_are_asked_for_again(
    settings: DeliverySettings, clock: FixedClock, store: InMemoryKeyStore
) -> None:
    message, stranger = some_keys(), KeyRing.parse(new_key_pair().private)
    outside, jwks = Outside(store, RecordingSender()), SIGNER.static_jwks()
    lacking = settings.model_copy(update={"hpke_private_keys": stranger})
    async with ServiceHarness.start(build_service(lacking, clock, outside, jwks)) as before:
        await before.deliver(message)
        await before.run_jobs()
    async with ServiceHarness.start(build_service(settings, clock, outside, jwks)) as delivery:
        await delivery.deliver(message.model_copy(update={"id": new_id()}))
        await delivery.run_jobs()

        states = [m.state for m in await delivery.sent(DeliveryUpdated)]
    assert states[:2] == [DeliveryState.NEEDS_ATTENTION, DeliveryState.STORED]


async def test_unknown_field_is_refused_without_its_value(
    delivery: ServiceHarness, link: Link
) -> None:
    answer = await delivery.http.post(
        f"/deliveries/{link[0]}/reveal", json={"token": link[1], "extra": "PLANTED"}
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "extra"
    assert "PLANTED" not in answer.text
    assert link[1] not in answer.text
