"""The whole service against the simulator, in both dialects: its ledger is the truth."""

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from contracts import FulfillmentState, KeyReady, Money, StockReturned
from contracts.testing import an_order_cancelled
from foundation.sealing import open_game_key
from foundation.testing import FixedClock
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    DELIVERY_RING,
    SIGNER,
    a_request,
    answers,
    purchase_states,
    work,
)
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.integration

S = FulfillmentState


@dataclass
class Shop:
    """The service, its clock and the simulator's control side."""

    kinguin: ServiceHarness
    clock: FixedClock
    control: httpx.AsyncClient
    dialect: str

    async def faults(self, **faults: Any) -> None:
        (await self.control.put("/_simulator/faults", json=faults)).raise_for_status()

    async def ledger(self) -> list[dict[str, Any]]:
        orders: list[dict[str, Any]] = (await self.control.get("/_simulator/ledger")).json()[
            "orders"
        ]
        return orders

    async def work(self, *seconds: float) -> None:
        for wait in seconds:
            await work(self.kinguin, self.clock, wait)

    async def delivered(self) -> list[list[bytes]]:
        ready = await self.kinguin.sent(KeyReady)
        return [[open_game_key(DELIVERY_RING, key).value for key in m.keys] for m in ready]


def bought(order: dict[str, Any]) -> list[bytes]:
    return [
        base64.b64decode(key["serial"])
        if key["type"].startswith("image/")
        else key["serial"].encode()
        for key in order["keys"]
    ]


@pytest.fixture(params=["esa", "sales-manager"])
async def shop(
    request: pytest.FixtureRequest, simulator: str, settings: KinguinSettings
) -> AsyncIterator[Shop]:
    clock = FixedClock()
    url = f"{simulator}/esa/api" if request.param == "esa" else simulator
    changes = {"kinguin_api": request.param, "kinguin_api_url": url}
    service = build_service(settings.model_copy(update=changes), clock, SIGNER.static_jwks())
    async with (
        ServiceHarness.start(service) as kinguin,
        httpx.AsyncClient(base_url=simulator) as control,
    ):
        yield Shop(kinguin, clock, control, request.param)


async def test_bought_key_is_the_one_in_the_ledger(shop: Shop) -> None:
    await shop.kinguin.deliver(a_request())

    await shop.work(2)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]


async def test_three_keys_or_a_refusal_before_anything_is_bought(shop: Shop) -> None:
    await shop.kinguin.deliver(a_request(quantity=3))

    await shop.work(2)

    if shop.dialect == "esa":
        [order] = await shop.ledger()
        assert [sorted(keys) for keys in await shop.delivered()] == [sorted(bought(order))]
    else:
        assert await shop.ledger() == []
        assert await answers(shop.kinguin) == [S.FAILED]


async def test_keys_that_take_their_time_are_polled_for(shop: Shop) -> None:
    await shop.faults(polls_until_ready=5)
    await shop.kinguin.deliver(a_request())

    await shop.work(2, 4, 8, 16)
    assert await shop.delivered() == []
    await shop.work(30)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]


async def test_picture_keys_arrive_byte_for_byte(shop: Shop) -> None:
    await shop.faults(image_keys=True)
    await shop.kinguin.deliver(a_request())

    await shop.work(2)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]
    assert bought(order)[0].startswith(b"\x89PNG")


@pytest.mark.parametrize("refuse_duplicates", [True, False])
@pytest.mark.parametrize("fault", ["drop_answer_after_work", "error_after_work"])
async def test_lost_answer_leaves_one_order_in_the_ledger(
    shop: Shop, fault: str, *, refuse_duplicates: bool
) -> None:
    await shop.faults(**{fault: 1, "refuse_duplicates": refuse_duplicates})
    await shop.kinguin.deliver(a_request())

    await shop.work(2, 2, 60, 60, 60)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]


@pytest.mark.parametrize("status", [500, 429, 409, 503])
async def test_refused_calls_buy_nothing_until_it_is_sure_and_then_once(
    shop: Shop, status: int
) -> None:
    await shop.kinguin.deliver(a_request())
    await shop.faults(error_status=status, retry_after_s=1)
    await shop.work(10)
    assert await shop.ledger() == []

    await shop.faults()
    await shop.work(300, 2, 60, 60, 2, 2)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]


async def test_canceled_orders_are_bought_twice_at_most(shop: Shop) -> None:
    await shop.faults(cancel=True)
    await shop.kinguin.deliver(a_request())

    await shop.work(2, 2, 2, 2)

    assert [order["status"] for order in await shop.ledger()] == ["canceled", "canceled"]
    assert await answers(shop.kinguin) == [S.FAILED]


async def test_empty_balance_waits_and_goes_on(shop: Shop) -> None:
    await shop.faults(balance=0)
    await shop.kinguin.deliver(a_request())
    await shop.work(10)
    assert await answers(shop.kinguin) == [S.DELAYED]

    await shop.faults()
    await shop.work(300, 2)

    assert len(await shop.ledger()) == len(await shop.delivered()) == 1


@pytest.mark.parametrize("shop", ["esa"], indirect=True)
async def test_balance_that_covers_one_buys_one_and_a_top_up_the_others(shop: Shop) -> None:
    await shop.faults(balance=7)  # the simulator asks EUR 3.72 a key
    for _ in range(3):
        await shop.kinguin.deliver(a_request())
    await shop.work(2, 58)
    assert len(await shop.ledger()) == 1
    assert (await answers(shop.kinguin)).count(S.DELAYED) == 2

    await shop.faults(balance=100)
    await shop.work(60, 2, 2)

    assert len(await shop.ledger()) == len(await shop.delivered()) == 3


@pytest.mark.parametrize("shop", ["esa"], indirect=True)
async def test_half_filled_and_canceled_order_goes_to_stock(shop: Shop) -> None:
    await shop.faults(cancel=True, fewer_keys=1)
    await shop.kinguin.deliver(a_request(quantity=3))

    await shop.work(2)

    assert len(await shop.kinguin.sent(StockReturned)) == 2
    assert await answers(shop.kinguin) == [S.FAILED]


@pytest.mark.parametrize("shop", ["esa"], indirect=True)
async def test_price_above_the_limit_is_never_paid(shop: Shop) -> None:
    await shop.faults(price_factor=10)
    limit = Money(amount=Decimal(25), currency="USD")
    await shop.kinguin.deliver(a_request(highest_unit_price=limit))

    await shop.work(2)

    assert await shop.ledger() == []
    assert await answers(shop.kinguin) == [S.FAILED]


async def test_truncated_answers_are_waited_out(shop: Shop) -> None:
    await shop.kinguin.deliver(a_request())
    await shop.kinguin.run_jobs()
    await shop.faults(truncate_json=True)
    await shop.work(2, 4)
    assert await purchase_states(shop.kinguin) == ["placed"]

    await shop.faults()
    await shop.work(8)

    [order] = await shop.ledger()
    assert await shop.delivered() == [bought(order)]


async def bought_and_cancelled(shop: Shop) -> None:
    request = a_request()
    await shop.kinguin.deliver(request)
    await shop.kinguin.run_jobs()
    await shop.kinguin.deliver(
        an_order_cancelled(order_id=request.order_id, line_ids=(request.line_id,))
    )


@pytest.mark.parametrize("shop", ["esa"], indirect=True)
@pytest.mark.parametrize("lost", [0, 1])
async def test_keys_that_nobody_wants_go_back_once(shop: Shop, lost: int) -> None:
    await shop.faults(drop_return_answer=lost)
    await bought_and_cancelled(shop)

    await shop.work(2)
    await asyncio.sleep(0.5)  # the simulator refunds by its own clock
    await shop.work(30)

    [order] = await shop.ledger()
    assert (order["status"], order["return_requested"]) == ("refunded", True)
    assert await purchase_states(shop.kinguin) == ["returned"]
    assert await shop.kinguin.sent(StockReturned) == []


async def test_keys_that_are_not_taken_back_are_stock(shop: Shop) -> None:
    await shop.faults(refuse_return=True)
    await bought_and_cancelled(shop)

    await shop.work(2, 30)

    [order] = await shop.ledger()
    assert order["status"] == "completed"
    end = "return_refused" if shop.dialect == "esa" else "abandoned"
    assert await purchase_states(shop.kinguin) == [end]
    assert len(await shop.kinguin.sent(StockReturned)) == 1
