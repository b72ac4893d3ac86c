"""The reconciliation of a running shop: its books agree with those of the outside."""

import secrets
from collections.abc import Iterator

import pytest
from bitloot_cli.main import app
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack
from typer.testing import CliRunner, Result

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


@pytest.fixture
def shop(stack: RunningStack) -> Iterator[Shop]:
    shop = Shop.of(stack)
    yield shop
    shop.http.close()


def reconcile(stack: RunningStack) -> Result:
    """As an operator runs it: with the settings of both services that speak to the outside."""
    settings = stack.plan.environment("fulfillment-kinguin") | stack.plan.environment("payments")
    return CliRunner().invoke(
        app,
        ["reconcile", "--again-after", "1"],
        env={"COLUMNS": "200"} | settings | dict(stack.variables),
    )


def a_sold_key(shop: Shop) -> PlacedOrder:
    product = shop.add_product(
        f"Bought {secrets.token_hex(3)}",
        "60.00",
        source_type="kinguin",
        kinguin_product_id="5c9b5c9b5c9b5c9b5c9b0006",
        kinguin_offer_id="5f7e5f7e5f7e5f7e5f7e0006",
    )
    order = shop.place(f"reconcile-{secrets.token_hex(3)}@example.com", (product, 1))
    shop.pay(order)
    shop.wait_for(order, "fulfilled")
    return order


def test_an_order_that_went_well_shows_no_difference(shop: Shop) -> None:
    order = a_sold_key(shop)

    report = reconcile(shop.stack)

    assert report.exit_code in {0, 1}, report.output
    assert "not reconciled" not in report.output
    assert order.id not in report.output


def test_further_money_that_nobody_told_us_of_is_found(shop: Shop) -> None:
    order = a_sold_key(shop)
    shop.pay(order, send_ipn=False)

    def both_finished() -> list[str] | None:
        payments = shop.ledger("nowpayments")["payments"]
        of_order = [p for p in payments if p["order_id"] == order.id]
        is_done = [p["payment_status"] for p in of_order] == ["finished"] * 2
        return [str(p["payment_id"]) for p in of_order] if is_done else None

    payment_ids = shop.until(both_finished, "the second payment to finish")
    report = reconcile(shop.stack)

    assert report.exit_code == 1, report.output
    assert "unknown_payment" in report.output
    assert payment_ids[1] in report.output
    assert payment_ids[0] not in report.output
