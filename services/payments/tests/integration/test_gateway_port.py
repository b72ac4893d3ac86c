"""One suite for every adapter of `PaymentGateway`: the fake is as the real client is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import httpx
import pytest
from foundation.clock import SystemClock, new_id
from payments.adapters.nowpayments_client import NowPaymentsClient
from payments.adapters.nowpayments_http import NowPaymentsHttp, new_http_client
from payments.adapters.nowpayments_login import Login
from payments.domain.payment import PaymentStatus
from payments.errors import (
    GatewayUnauthorized,
    GatewayUnavailable,
    InvoiceRefused,
    PaymentNotFound,
)
from payments.ports import InvoiceOrder, PaymentGateway
from payments.testing import FakeGateway
from pydantic import SecretStr

OTHER_KEY = "another-api-key"


def an_invoice_order(amount: str = "25.00") -> InvoiceOrder:
    return InvoiceOrder(
        order_id=str(new_id()),
        price_amount=Decimal(amount),
        price_currency="usd",
        description='Moon Farmer "Deluxe" ☾',
        ipn_callback_url="http://127.0.0.1:9/webhooks/nowpayments",
        success_url="http://127.0.0.1:8000/orders/1",
        cancel_url="http://127.0.0.1:8000/orders/1",
    )


@dataclass(frozen=True)
class Stand:
    """A gateway, and how its payments and its troubles are made."""

    gateway: PaymentGateway
    pay: Callable[[str], Awaitable[None]]
    break_down: Callable[[], Awaitable[None]]


def a_client(client: httpx.AsyncClient, url: str, key: str = "test-api-key") -> NowPaymentsClient:
    http = NowPaymentsHttp(client, f"{url}/v1", SecretStr(key))
    email, password = SecretStr("shop@bitloot.test"), SecretStr("test-password")
    return NowPaymentsClient(http, Login(http, email, password, SystemClock()))


@pytest.fixture
async def http_client() -> AsyncIterator[httpx.AsyncClient]:
    async with new_http_client(use_proxies=False) as client:
        yield client


def fake_stand() -> Stand:
    fake = FakeGateway()

    async def pay(invoice_id: str) -> None:
        fake.open_payment(invoice_id, PaymentStatus.FINISHED)

    async def break_down() -> None:
        fake.trouble = GatewayUnavailable("away")

    return Stand(fake, pay, break_down)


def real_stand(client: httpx.AsyncClient, url: str, control: httpx.AsyncClient) -> Stand:
    async def pay(invoice_id: str) -> None:
        order = {"outcome": "finished", "send_ipn": False}
        answer = await control.post(f"/_simulator/invoices/{invoice_id}/pay", json=order)
        answer.raise_for_status()
        async with asyncio.timeout(10):
            while not await is_settled(answer.json()["payment_id"]):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.02)

    async def is_settled(payment_id: str) -> bool:
        ledger = (await control.get("/_simulator/ledger")).json()
        rows = {row["payment_id"]: row["is_settled"] for row in ledger["payments"]}
        return bool(rows[payment_id])

    async def break_down() -> None:
        await control.put("/_simulator/faults", json={"error_status": 502})

    return Stand(a_client(client, url), pay, break_down)


@pytest.fixture(params=["fake", pytest.param("simulator", marks=pytest.mark.integration)])
def stand(request: pytest.FixtureRequest, http_client: httpx.AsyncClient) -> Stand:
    if request.param == "fake":
        return fake_stand()
    url: str = request.getfixturevalue("simulator_url")
    return real_stand(http_client, url, request.getfixturevalue("simulator"))


async def test_new_invoice_has_an_id_and_a_page_and_no_payments(stand: Stand) -> None:
    invoice = await stand.gateway.create_invoice(an_invoice_order())

    assert invoice.invoice_id.isdigit()
    assert invoice.url.endswith(invoice.invoice_id)
    assert await stand.gateway.payments_of_invoice(invoice.invoice_id) == []


async def test_asking_twice_makes_two_invoices(stand: Stand) -> None:
    order = an_invoice_order()

    first = await stand.gateway.create_invoice(order)
    second = await stand.gateway.create_invoice(order)

    assert first.invoice_id != second.invoice_id


async def test_payment_is_found_by_invoice_and_by_id_with_exact_amounts(stand: Stand) -> None:
    order = an_invoice_order("39.99")
    invoice = await stand.gateway.create_invoice(order)
    await stand.pay(invoice.invoice_id)

    [listed] = await stand.gateway.payments_of_invoice(invoice.invoice_id)
    asked = await stand.gateway.payment(listed.payment_id)

    assert asked == listed
    assert asked.status is PaymentStatus.FINISHED
    assert asked.order_id == UUID(order.order_id)
    assert (asked.price_amount, asked.price_currency) == (Decimal("39.99"), "usd")
    assert asked.actually_paid == asked.pay_amount
    assert asked.invoice_id == invoice.invoice_id


async def test_payments_of_other_invoices_are_not_listed(stand: Stand) -> None:
    invoice = await stand.gateway.create_invoice(an_invoice_order())
    other = await stand.gateway.create_invoice(an_invoice_order())
    await stand.pay(other.invoice_id)
    await stand.pay(other.invoice_id)

    assert await stand.gateway.payments_of_invoice(invoice.invoice_id) == []
    assert len(await stand.gateway.payments_of_invoice(other.invoice_id)) == 2


async def test_payments_are_listed_since_they_were_begun(stand: Stand) -> None:
    invoice = await stand.gateway.create_invoice(an_invoice_order())
    await stand.pay(invoice.invoice_id)
    [paid] = await stand.gateway.payments_of_invoice(invoice.invoice_id)

    since_an_hour = await stand.gateway.payments_since(datetime.now(UTC) - timedelta(hours=1))

    assert paid in since_an_hour


async def test_unknown_payment_is_not_found(stand: Stand) -> None:
    with pytest.raises(PaymentNotFound):
        await stand.gateway.payment("1234567890")


async def test_gateway_in_trouble_is_unavailable(stand: Stand) -> None:
    await stand.break_down()

    with pytest.raises(GatewayUnavailable):
        await stand.gateway.create_invoice(an_invoice_order())
    with pytest.raises(GatewayUnavailable):
        await stand.gateway.payment("1234567890")
    with pytest.raises(GatewayUnavailable):
        await stand.gateway.payments_of_invoice("1234567890")
    with pytest.raises(GatewayUnavailable):
        await stand.gateway.payments_since(datetime.now(UTC))


@pytest.mark.integration
async def test_wrong_key_is_unauthorized(
    http_client: httpx.AsyncClient, simulator_url: str
) -> None:
    client = a_client(http_client, simulator_url, OTHER_KEY)

    with pytest.raises(GatewayUnauthorized, match="INVALID_API_KEY"):
        await client.create_invoice(an_invoice_order())


@pytest.mark.integration
async def test_price_the_gateway_cannot_take_is_refused_for_good(
    http_client: httpx.AsyncClient, simulator_url: str
) -> None:
    with pytest.raises(InvoiceRefused, match="BAD_REQUEST"):
        await a_client(http_client, simulator_url).create_invoice(an_invoice_order("0"))


@pytest.mark.integration
async def test_gateway_that_is_not_there_is_unavailable(http_client: httpx.AsyncClient) -> None:
    with pytest.raises(GatewayUnavailable, match="ConnectError"):
        await a_client(http_client, "http://127.0.0.1:9").create_invoice(an_invoice_order())
