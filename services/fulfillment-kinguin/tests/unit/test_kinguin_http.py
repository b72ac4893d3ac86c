"""Calls over HTTP: what is sent once, what twice, and answers that cannot be trusted."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters import kinguin_http
from fulfillment_kinguin.adapters.esa_client import EsaClient
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp, kinguin_client
from fulfillment_kinguin.adapters.sales_manager_client import SalesManagerClient
from fulfillment_kinguin.domain.supply import Choice, OrderStatus, OrderToPlace
from fulfillment_kinguin.errors import (
    NotFound,
    Refused,
    Unclear,
    UnreadableAnswer,
    UnreadableKey,
)
from pydantic import SecretStr

ORDER = OrderToPlace("line-1", "p1", 1, Choice(Decimal("4.31"), "offer-1", as_text=True))
PLACED = {"orderId": "PHZZ1", "orderExternalId": "line-1", "status": "processing"}


class Wire:
    """Answers as it is told and remembers what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def http(self) -> KinguinHttp:
        client = httpx.AsyncClient(
            transport=httpx.MockTransport(self), base_url="https://kinguin.example/esa/api"
        )
        return KinguinHttp(client, FixedClock(), requests_per_second=1000)


def ok(body: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=body)


async def test_order_names_its_external_id_price_and_offer() -> None:
    wire = Wire(ok(PLACED | {"paymentPrice": "4.31"}, 201))

    placed = await EsaClient(wire.http).place(ORDER)

    assert (placed.order_id, placed.price_charged) == ("PHZZ1", Decimal("4.31"))
    [request] = wire.requests
    assert request.url.path == "/esa/api/v2/order"
    assert request.read() == (
        b'{"products":[{"productId":"p1","qty":1,"price":4.31,"keyType":"text",'
        b'"offerId":"offer-1"}],"orderExternalId":"line-1"}'
    )


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("late"),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError("cut off"),
        httpx.Response(500, json={"kind": "Error"}),
        httpx.Response(429, headers={"Retry-After": "1"}),
        httpx.Response(200, json=PLACED),
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        httpx.Response(201, text="<html>created</html>"),
        httpx.Response(201, json={"status": "processing"}),
        httpx.Response(201, text='{"orderId": NaN}'),
        httpx.Response(201, content=b"[" * 200_000),
    ],
)
async def test_post_is_sent_once_and_anything_unsure_is_unclear(
    answer: httpx.Response | Exception,
) -> None:
    wire = Wire(answer)

    with pytest.raises(Unclear):
        await EsaClient(wire.http).place(ORDER)

    assert len(wire.requests) == 1


async def test_get_is_tried_twice_and_no_more() -> None:
    wire = Wire(httpx.ReadTimeout("late"), ok(PLACED | {"status": "completed"}))
    order = await EsaClient(wire.http).order("PHZZ1")
    assert order.status is OrderStatus.COMPLETED

    wire = Wire(*[httpx.Response(503) for _ in range(3)])
    with pytest.raises(Unclear):
        await EsaClient(wire.http).order("PHZZ1")
    assert len(wire.requests) == 2


async def test_long_retry_after_is_left_to_the_job() -> None:
    wire = Wire(httpx.Response(429, headers={"Retry-After": "60"}))

    with pytest.raises(Unclear) as error:
        await EsaClient(wire.http).order("PHZZ1")

    assert error.value.retry_after_s == 60
    assert len(wire.requests) == 1


async def test_answer_that_is_too_large_is_not_read_on() -> None:
    wire = Wire(*[httpx.Response(200, content=b" " * (kinguin_http.MAX_ANSWER_BYTES + 1))] * 2)

    with pytest.raises(UnreadableAnswer):
        await EsaClient(wire.http).order("PHZZ1")


async def test_keys_are_read_page_by_page_and_each_once() -> None:
    def page(first: int, count: int) -> httpx.Response:
        numbers = range(first, first + count)
        return ok([{"id": f"k{n}", "serial": f"KEY-{n}", "type": "text/plain"} for n in numbers])

    wire = Wire(page(0, 100), page(50, 100), page(150, 3))

    keys = await EsaClient(wire.http).keys("PHZZ1")

    assert [key.key_id for key in keys] == [f"k{n}" for n in range(153)]
    assert [request.url.params["page"] for request in wire.requests] == ["1", "2", "3"]


async def test_orders_are_read_page_by_page_and_each_once() -> None:
    def page(first: int, count: int) -> httpx.Response:
        orders = [PLACED | {"orderId": f"PHZZ{n}"} for n in range(first, first + count)]
        return ok({"results": orders, "item_count": 153})

    wire = Wire(page(0, 100), page(50, 100), page(150, 3))

    orders = await EsaClient(wire.http).orders_since(datetime(2026, 11, 23, 12, tzinfo=UTC))

    assert [order.order_id for order in orders] == [f"PHZZ{n}" for n in range(153)]
    assert [request.url.params["page"] for request in wire.requests] == ["1", "2", "3"]
    assert {r.url.params["createdAtFrom"] for r in wire.requests} == {"2026-11-23T12:00:00+00:00"}


async def test_unreadable_key_is_never_repeated() -> None:
    wire = Wire(ok([{"id": "k1", "serial": "PLANTED-SECRET!", "type": "image/png"}]))

    with pytest.raises(UnreadableKey) as error:
        await EsaClient(wire.http).keys("PHZZ1")

    assert "PLANTED" not in repr(error.value)


async def test_search_that_ignores_the_filter_is_not_an_empty_one() -> None:
    wire = Wire(ok({"results": [PLACED | {"orderExternalId": "other"}], "item_count": 1}))

    with pytest.raises(UnreadableAnswer):
        await EsaClient(wire.http).orders_of("line-1")


async def test_status_we_do_not_know_is_followed_on() -> None:
    wire = Wire(ok(PLACED | {"status": "on hold"}))

    assert (await EsaClient(wire.http).order("PHZZ1")).status is OrderStatus.PROCESSING


async def test_ids_never_change_the_path() -> None:
    wire = Wire(httpx.Response(404, json={"kind": "OrderNotFound"}))

    with pytest.raises(NotFound):
        await EsaClient(wire.http).order("../v1/balance?x=")

    assert wire.requests[0].url.raw_path == b"/esa/api/v1/order/..%2Fv1%2Fbalance%3Fx%3D"


@pytest.mark.parametrize(
    "order",
    [OrderToPlace("e", "p", 2, Choice(None, "offer-1")), OrderToPlace("e", "p", 1, Choice(None))],
)
async def test_sales_manager_sells_one_key_of_a_named_offer(order: OrderToPlace) -> None:
    wire = Wire()

    with pytest.raises(Refused):
        await SalesManagerClient(wire.http).place(order)

    assert wire.requests == []


@pytest.mark.parametrize("tail", ["", "/", "/v1", "/v2/"])
def test_a_version_at_the_end_of_the_base_does_no_harm(tail: str) -> None:
    client = kinguin_client(f"https://kinguin.example/esa/api{tail}", SecretStr("k"))

    request = client.build_request("GET", "/v1/balance")

    assert str(request.url) == "https://kinguin.example/esa/api/v1/balance"


async def test_requests_are_spaced_to_the_rate() -> None:
    wire = Wire(*[ok({"balance": 1}) for _ in range(4)])
    client = httpx.AsyncClient(transport=httpx.MockTransport(wire), base_url="https://k.example")
    slow = EsaClient(KinguinHttp(client, FixedClock(), requests_per_second=2))

    elapsed = await _timed(slow, 4)

    assert elapsed >= 0.9  # two at once, then one every half second


async def test_order_goes_out_at_once_when_its_turn_was_waited_for() -> None:
    wire = Wire(ok(PLACED, 201))
    client = httpx.AsyncClient(transport=httpx.MockTransport(wire), base_url="https://k.example")
    slow = EsaClient(KinguinHttp(client, FixedClock(), requests_per_second=2))
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(3):
        await slow.wait_for_turn()
    had_its_turn = loop.time()

    await slow.place(ORDER)

    assert had_its_turn - started >= 0.45  # two at once, the third half a second later
    assert loop.time() - had_its_turn < 0.4


async def _timed(client: EsaClient, calls: int) -> float:
    loop = asyncio.get_running_loop()
    started = loop.time()
    for _ in range(calls):
        await client.balance()
    return loop.time() - started
