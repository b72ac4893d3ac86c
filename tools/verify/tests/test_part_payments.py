"""12: an accepted part payment pays its order, and each other one is owed back, once."""

import pytest
from bitloot_verify.testing import HealthyShop
from foundation.clock import new_id

pytestmark = pytest.mark.component

UNPAID = "DELETE FROM confirmations WHERE order_id = :order"
PART = "UPDATE payments SET status = 'partially_paid', pay_amount = 0.02 WHERE order_id = :order"
SETTLED = (
    "INSERT INTO acceptances SELECT order_id, payment_id, now() FROM payments"
    " WHERE order_id = :order"
)
OWED = (
    "INSERT INTO refundables SELECT payment_id, order_id, actually_paid, 'btc', 'r', now()"
    " FROM payments WHERE payment_id = :payment"
)
ANOTHER = (
    "INSERT INTO payments (payment_id, id, order_id, status, rank, actually_paid, pay_amount,"
    " first_seen_at, updated_at) VALUES (:payment, :id, :order, 'partially_paid', 6, 0.01, 0.02,"
    " now(), now())"
)
REFUND = (
    "INSERT INTO refunds (id, order_id, payment_id, subject, amount, reason, state, actor, due_at)"
    " VALUES (:id, :order, :payment, 's', 0.01, 'r', 'due', 'system', now())"
)
ON_RECORD = (
    "INSERT INTO audit_log (id, at, actor, action, subject)"
    " VALUES (:id, now(), 'admin', 'order.accept_underpaid', :order)"
)


@pytest.fixture
async def accepted(shop: HealthyShop) -> str:
    """The order of own stock was paid in part, and accepted; its payment."""
    order, payment = shop.custom_order, str(shop.custom_order.int)[-12:]
    for statement in (UNPAID, PART, SETTLED):
        await shop.run("payments", statement, order=order)
    await shop.run(
        "orders", "UPDATE orders SET payment_id = :p WHERE id = :order", p=payment, order=order
    )
    await shop.run("orders", ON_RECORD, id=new_id(), order=str(order))
    return payment


async def another_part(shop: HealthyShop, payment: str = "77") -> None:
    await shop.run("payments", ANOTHER, payment=payment, id=new_id(), order=shop.custom_order)


async def owe(shop: HealthyShop, payment: str) -> None:
    await shop.run("payments", OWED, payment=payment)
    await shop.run("orders", REFUND, id=new_id(), order=shop.custom_order, payment=payment)


@pytest.mark.usefixtures("accepted")
async def test_accepted_part_with_the_others_owed_back_is_no_violation(shop: HealthyShop) -> None:
    for payment in ("77", "78"):
        await another_part(shop, payment)
        await owe(shop, payment)

    assert await shop.violations() == {}


@pytest.mark.usefixtures("accepted")
async def test_part_beside_the_accepted_one_that_nobody_noted_is_found(shop: HealthyShop) -> None:
    await another_part(shop)

    assert list(await shop.violations()) == [12]


async def test_accepted_part_that_is_owed_back_as_well_is_found(
    shop: HealthyShop, accepted: str
) -> None:
    await owe(shop, accepted)

    assert await shop.violations() == {12: ["it pays its order, and is owed back"]}


@pytest.mark.usefixtures("accepted")
async def test_acceptance_that_payments_never_heard_of_is_found(shop: HealthyShop) -> None:
    await shop.run("payments", "DELETE FROM acceptances")

    found = await shop.violations()

    assert found[12] == ["its part payment was accepted, payments knows none"]


@pytest.mark.usefixtures("accepted")
async def test_acceptance_that_is_not_on_record_is_found(shop: HealthyShop) -> None:
    await shop.run("orders", "DELETE FROM audit_log")

    assert {4, 12} <= (await shop.violations()).keys()


async def test_parts_of_a_cancelled_order_are_found_until_they_are_owed_back(
    shop: HealthyShop,
) -> None:
    order, payment = shop.custom_order, str(shop.custom_order.int)[-12:]
    for statement in (UNPAID, PART):
        await shop.run("payments", statement, order=order)
    await shop.run(
        "orders", "UPDATE orders SET money = 'underpaid', cancelled = true WHERE id = :o", o=order
    )
    says = "partially_paid, but neither confirmed nor noted as owed back"
    assert says in (await shop.violations())[12]

    await owe(shop, payment)

    assert 12 not in await shop.violations()
