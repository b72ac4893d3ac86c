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
from stack.contract_fixtures import (
    REAL,
    REAL_PARAM,
    Announce,
    credentials,
    only_simulated,
)

OTHER_KEY = "another-api-key"


def an_invoice_order(amount: str = "25.00") -> InvoiceOrder:
    return InvoiceOrder(
        order_id=str(new_id()),
        price_amount=Decimal(amount),
        price_currency="usd",
        description='Moon Farmer "Deluxe" ☾',
        ipn_callback_url="https://shop.example/webhooks/nowpayments",
        success_url="https://shop.example/orders/1",
        cancel_url="https://shop.example/orders/1",
    )


@dataclass(frozen=True)
class Stand:
    """A gateway, and how its payments and its troubles are made."""

    gateway: PaymentGateway
    pay: Callable[[str], Awaitable[None]]
    break_down: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Account:
    """An account at NOWPayments, at the simulator or at the real one (its sandbox, if wanted)."""

    url: str
    key: str
    email: str
    password: str

    @classmethod
    def real(cls) -> "Account":
        """The account that the environment names, or the test is skipped."""
        return cls(*credentials(*REAL_VARIABLES).values())

    @classmethod
    def simulated(cls, url: str) -> "Account":
        return cls(f"{url}/v1", "test-api-key", "shop@bitloot.test", "test-password")

    def client(self, http_client: httpx.AsyncClient, key: str | None = None) -> NowPaymentsClient:
        http = NowPaymentsHttp(http_client, self.url, SecretStr(key or self.key))
        email, password = SecretStr(self.email), SecretStr(self.password)
        return NowPaymentsClient(http, Login(http, email, password, SystemClock()))


SERVERS = [pytest.param("simulator", marks=pytest.mark.integration), REAL_PARAM]
REAL_VARIABLES = (
    "CONTRACT_NOWPAYMENTS_API_URL",
    "CONTRACT_NOWPAYMENTS_API_KEY",
    "CONTRACT_NOWPAYMENTS_EMAIL",
    "CONTRACT_NOWPAYMENTS_PASSWORD",
)


@pytest.fixture
async def http_client(
    request: pytest.FixtureRequest, announce: Announce
) -> AsyncIterator[httpx.AsyncClient]:
    async def say(sent: httpx.Request) -> None:
        announce(f"NOWPayments {sent.method} {sent.url.path}", "free; nobody pays these invoices")

    is_real = request.node.get_closest_marker("contract") is not None
    async with new_http_client(use_proxies=is_real) as client:
        if is_real:
            client.event_hooks = {"request": [say]}
        yield client


def fake_stand() -> Stand:
    fake = FakeGateway()

    async def pay(invoice_id: str) -> None:
        fake.open_payment(invoice_id, PaymentStatus.FINISHED)

    async def break_down() -> None:
        fake.trouble = GatewayUnavailable("away")

    return Stand(fake, pay, break_down)


def simulated_stand(gateway: PaymentGateway, control: httpx.AsyncClient) -> Stand:
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

    return Stand(gateway, pay, break_down)


def unpaid_stand(gateway: PaymentGateway) -> Stand:
    async def pay(_invoice_id: str) -> None:
        only_simulated("a payment")

    async def break_down() -> None:
        only_simulated("trouble")

    return Stand(gateway, pay, break_down)


def find_account(request: pytest.FixtureRequest) -> Account:
    if request.param == REAL:
        return Account.real()
    return Account.simulated(request.getfixturevalue("simulator_url"))


@pytest.fixture(params=SERVERS)
def account(request: pytest.FixtureRequest) -> Account:
    """The simulator, and in a contract check the account at NOWPayments."""
    return find_account(request)


@pytest.fixture(params=["fake", *SERVERS])
def stand(request: pytest.FixtureRequest, http_client: httpx.AsyncClient) -> Stand:
    if request.param == "fake":
        return fake_stand()
    gateway = find_account(request).client(http_client)
    if request.param == REAL:
        return unpaid_stand(gateway)
    return simulated_stand(gateway, request.getfixturevalue("simulator"))


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


async def test_wrong_key_is_unauthorized(http_client: httpx.AsyncClient, account: Account) -> None:
    client = account.client(http_client, OTHER_KEY)

    with pytest.raises(GatewayUnauthorized, match="INVALID_API_KEY"):
        await client.create_invoice(an_invoice_order())


async def test_price_the_gateway_cannot_take_is_refused_for_good(
    http_client: httpx.AsyncClient, account: Account
) -> None:
    with pytest.raises(InvoiceRefused, match="BAD_REQUEST"):
        await account.client(http_client).create_invoice(an_invoice_order("0"))


@pytest.mark.timeout(400)
async def test_payment_of_the_sandbox_is_read_to_its_end(
    http_client: httpx.AsyncClient, account: Account
) -> None:
    """`case` makes a payment without money, which only the sandbox (and the simulator) knows."""
    if not any(name in account.url for name in ("sandbox", "127.0.0.1")):
        only_simulated("a payment without money")
    order_id = str(new_id())
    order = {"price_amount": 25, "price_currency": "usd", "pay_currency": "ltc", "case": "success"}
    created = await http_client.post(
        f"{account.url}/payment",
        json=order | {"order_id": order_id},
        headers={"x-api-key": account.key},
    )
    payment_id = str(created.raise_for_status().json()["payment_id"])

    client = account.client(http_client)
    found = await client.payment(payment_id)
    async with asyncio.timeout(360):
        while found.status is not PaymentStatus.FINISHED:
            await asyncio.sleep(1)
            found = await client.payment(payment_id)

    assert str(found.order_id) == order_id
    assert (found.price_amount, found.price_currency) == (Decimal(25), "usd")


@pytest.mark.integration
async def test_gateway_that_is_not_there_is_unavailable(http_client: httpx.AsyncClient) -> None:
    nowhere = Account.simulated("http://127.0.0.1:9").client(http_client)

    with pytest.raises(GatewayUnavailable, match="ConnectError"):
        await nowhere.create_invoice(an_invoice_order())
