"""The client against answers that no stand-in gives: old tokens, refusals, nonsense."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import httpx
import pytest
from foundation.clock import new_id
from foundation.testing import FixedClock
from payments.adapters.nowpayments_client import PAGE_SIZE, NowPaymentsClient
from payments.adapters.nowpayments_http import MAX_ANSWER_BYTES, NowPaymentsHttp
from payments.adapters.nowpayments_login import Login
from payments.errors import GatewayUnauthorized, GatewayUnavailable, InvoiceRefused
from payments.ports import InvoiceOrder
from payments.testing import some_fields
from pydantic import SecretStr

ORDER = InvoiceOrder(
    order_id=str(new_id()),
    price_amount=Decimal("0.10"),
    price_currency="usd",
    description="Moon Farmer",
    ipn_callback_url="https://shop.test/ipn",
    success_url="https://shop.test/ok",
    cancel_url="https://shop.test/no",
)
Answer = Callable[[httpx.Request], httpx.Response]


class Gateway:
    """Answers from a function and remembers what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.asked: list[httpx.Request] = []
        self.clock = FixedClock()
        self._answer = answer
        http = NowPaymentsHttp(
            httpx.AsyncClient(transport=httpx.MockTransport(self._keep)),
            "https://gateway.test/v1/",
            SecretStr("the-key"),
        )
        login = Login(http, SecretStr("Shop@test"), SecretStr("the-password"), self.clock)
        self.client = NowPaymentsClient(http, login)

    def _keep(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self._answer(request)

    @property
    def paths(self) -> list[str]:
        return [request.url.path.removeprefix("/v1") for request in self.asked]


def listing(rows: list[dict[str, Any]], *, refuse_first: int = 0) -> Answer:
    """A log-in whose first tokens are refused, and a list in pages."""
    tokens = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal tokens
        if request.url.path.endswith("/auth"):
            tokens += 1
            return httpx.Response(200, json={"token": f"token-{tokens}"})
        if int(request.headers["authorization"].removeprefix("Bearer token-")) <= refuse_first:
            return httpx.Response(401, json={"code": "AUTH_REQUIRED", "message": "expired"})
        start = int(request.url.params["page"]) * PAGE_SIZE
        return httpx.Response(200, json={"data": rows[start : start + PAGE_SIZE]})

    return answer


async def test_price_is_sent_as_an_exact_number() -> None:
    created = {"id": "4522000001", "invoice_url": "https://gateway.test/4522000001"}
    gateway = Gateway(lambda _: httpx.Response(201, json=created))

    await gateway.client.create_invoice(ORDER)

    [request] = gateway.asked
    assert b'"price_amount": 0.10,' in request.content
    assert json.loads(request.content)["order_id"] == ORDER.order_id
    assert request.headers["x-api-key"] == "the-key"


async def test_invoice_answered_with_200_and_a_number_as_id_is_taken() -> None:
    created = {"id": 4522000001, "invoice_url": "https://gateway.test/i"}
    gateway = Gateway(lambda _: httpx.Response(200, json=created))

    assert (await gateway.client.create_invoice(ORDER)).invoice_id == "4522000001"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"code": "AMOUNT_MINIMAL_ERROR", "message": "too small"}, InvoiceRefused),
        (400, {"error": "not convertable"}, InvoiceRefused),
        (400, "<html>", GatewayUnavailable),
        (401, {"code": "AUTH_REQUIRED"}, GatewayUnauthorized),
        (403, {"code": "INVALID_API_KEY"}, GatewayUnauthorized),
        (404, {"message": "no such path"}, GatewayUnavailable),
        (429, {"message": "slow down"}, GatewayUnavailable),
        (500, {}, GatewayUnavailable),
        (302, {}, GatewayUnavailable),
        (201, {}, GatewayUnavailable),
        (201, {"id": "1", "invoice_url": "javascript:alert(1)"}, GatewayUnavailable),
        (201, "<html>", GatewayUnavailable),
    ],
)
async def test_only_a_readable_refusal_is_for_good(
    status: int, body: Any, error: type[Exception]
) -> None:
    gateway = Gateway(lambda _: httpx.Response(status, json=body))

    with pytest.raises(error):
        await gateway.client.create_invoice(ORDER)

    assert len(gateway.asked) == 1


async def test_read_is_tried_twice_and_then_given_up() -> None:
    gateway = Gateway(lambda _: httpx.Response(502))

    with pytest.raises(GatewayUnavailable):
        await gateway.client.payment("1")

    assert len(gateway.asked) == 2


async def test_answer_about_another_payment_is_not_believed() -> None:
    fields = some_fields(new_id(), payment_id=2)
    gateway = Gateway(lambda _: httpx.Response(200, json=fields))

    with pytest.raises(GatewayUnavailable, match="another payment"):
        await gateway.client.payment("1")


async def test_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    gateway = Gateway(lambda _: httpx.Response(200, content=b" " * (MAX_ANSWER_BYTES + 1)))

    with pytest.raises(GatewayUnavailable, match="more than"):
        await gateway.client.payment("1")


async def test_list_is_read_page_by_page_with_one_login() -> None:
    rows = [some_fields(new_id(), payment_id=number) for number in range(PAGE_SIZE + 1)]
    gateway = Gateway(listing(rows))

    found = await gateway.client.payments_of_invoice("7")

    assert [facts.payment_id for facts in found] == [str(n) for n in range(PAGE_SIZE + 1)]
    assert gateway.paths == ["/auth", "/payment/", "/payment/"]


async def test_token_is_kept_four_minutes() -> None:
    gateway = Gateway(listing([]))

    for seconds in (0, 239, 1):
        gateway.clock.advance(seconds)
        await gateway.client.payments_of_invoice("7")

    assert gateway.paths == ["/auth", "/payment/", "/payment/", "/auth", "/payment/"]


async def test_refused_token_is_replaced_once() -> None:
    gateway = Gateway(listing([], refuse_first=1))

    assert await gateway.client.payments_of_invoice("7") == []
    assert gateway.paths == ["/auth", "/payment/"] * 2


async def test_second_refusal_is_a_wrong_setting() -> None:
    gateway = Gateway(listing([], refuse_first=9))

    with pytest.raises(GatewayUnauthorized):
        await gateway.client.payments_of_invoice("7")


async def test_no_secret_appears_in_errors() -> None:
    gateway = Gateway(lambda _: httpx.Response(403, json={"message": "Access denied"}))

    with pytest.raises(GatewayUnauthorized) as caught:
        await gateway.client.payments_of_invoice("7")

    assert "the-key" not in repr(caught.value)
    assert "the-password" not in repr(caught.value)
