"""The exchange rate comes from the bank, is shared as a row, and too old a one stops buying."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa
from contracts import FulfillmentState, FulfillmentUpdated, KeyReady, Money
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import exchange_rates, purchases
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import (
    SIGNER,
    FakeSupplier,
    a_request,
    ecb_file,
    purchase_states,
    work,
)
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component

S = FulfillmentState


@dataclass
class Bank:
    """The bank's stand-in: what it answers, and how often it was asked."""

    url: str = ""
    body: bytes = ecb_file("1.10", "2026-11-23")
    status: int = 200
    asked: int = 0


@pytest.fixture
def bank() -> Iterator[Bank]:
    state = Bank()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked += 1
            self.send_response(state.status)
            self.send_header("Content-Length", str(len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_port}/eurofxref-daily.xml"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield state
        server.shutdown()


@pytest.fixture
def settings(settings: KinguinSettings, bank: Bank) -> KinguinSettings:
    return settings.model_copy(
        update={
            "kinguin_rate_source": "ecb",
            "kinguin_ecb_url": bank.url,
            "kinguin_eur_usd_rate": None,
        }
    )


async def one(kinguin: ServiceHarness, query: sa.Select[tuple[object]]) -> object:
    async with kinguin.database.transaction() as transaction:
        return await transaction.scalar(query)


async def test_what_the_bank_says_decides_and_is_kept_with_the_purchase(
    kinguin: ServiceHarness, clock: FixedClock, bank: Bank
) -> None:
    bank.body = ecb_file("1.2345", "2026-11-23")

    await kinguin.deliver(a_request())
    await work(kinguin, clock)

    assert await one(kinguin, sa.select(purchases.c.eur_usd_rate)) == Decimal("1.2345")
    assert len(await kinguin.sent(KeyReady)) == 1


async def test_limit_in_dollars_follows_the_rate(
    kinguin: ServiceHarness, clock: FixedClock, bank: Bank, supplier: FakeSupplier
) -> None:
    limit = Money(amount=Decimal("4.90"), currency="USD")  # the fake asks EUR 4.31
    bank.body = ecb_file("1.14", "2026-11-23")  # 4.9134

    await kinguin.deliver(a_request(highest_unit_price=limit))
    await work(kinguin, clock)

    assert await purchase_states(kinguin) == ["failed"]
    assert supplier.ledger == []


async def test_replicas_and_restarts_share_what_was_heard(
    kinguin: ServiceHarness,
    settings: KinguinSettings,
    clock: FixedClock,
    bank: Bank,
    supplier: FakeSupplier,
) -> None:
    await kinguin.run_jobs()
    bank.status = 503

    service = build_service(settings, clock, SIGNER.static_jwks(), supplier)
    async with ServiceHarness.start(service) as replica:
        await replica.deliver(a_request())
        await work(replica, clock)

        assert len(supplier.ledger) == 1


@pytest.fixture
async def waiting(kinguin: ServiceHarness, clock: FixedClock, bank: Bank) -> ServiceHarness:
    """A line that waits, since the bank has been away for a week."""
    await kinguin.run_jobs()
    bank.status = 503
    clock.advance(days=7)
    await kinguin.deliver(a_request())
    await work(kinguin, clock)
    return kinguin


async def test_with_too_old_a_rate_the_line_waits_and_kinguin_is_not_asked(
    waiting: ServiceHarness, supplier: FakeSupplier
) -> None:
    [told] = await waiting.sent(FulfillmentUpdated)

    assert (told.state, told.reason) == (S.DELAYED, "exchange rate")
    assert await one(waiting, sa.select(purchases.c.waits_for)) == "exchange rate"
    assert supplier.calls["product"] == supplier.calls["place"] == 0


async def test_it_goes_on_by_itself_once_the_bank_has_spoken(
    waiting: ServiceHarness, clock: FixedClock, bank: Bank, supplier: FakeSupplier
) -> None:
    bank.status, bank.body = 200, ecb_file("1.12", "2026-11-30")
    clock.advance(minutes=5)

    await work(waiting, clock)
    await work(waiting, clock)

    assert len(supplier.ledger) == len(await waiting.sent(KeyReady)) == 1
    assert await one(waiting, sa.select(purchases.c.waits_for)) is None


async def test_file_that_is_still_the_old_one_wakes_nobody(
    waiting: ServiceHarness, clock: FixedClock, bank: Bank, supplier: FakeSupplier
) -> None:
    bank.status = 200
    clock.advance(minutes=5)

    await work(waiting, clock)

    assert supplier.ledger == []
    assert len(await waiting.sent(FulfillmentUpdated)) == 1


async def test_implausible_rate_is_kept_out(
    kinguin: ServiceHarness, clock: FixedClock, bank: Bank
) -> None:
    await kinguin.run_jobs()
    bank.body = ecb_file("11.0", "2026-11-24")

    await work(kinguin, clock, 3700)

    assert bank.asked == 2
    assert await one(kinguin, sa.select(exchange_rates.c.rate)) == Decimal("1.10")
