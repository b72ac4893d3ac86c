"""The other sides of the reconciliation, asked through the services' own adapters."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from fulfillment_kinguin.domain.supply import SupplierOrder
from fulfillment_kinguin.errors import NotFound, NotSupported
from fulfillment_kinguin.ports import KeySupplier
from payments.domain.payment import PaymentFacts
from payments.errors import PaymentNotFound
from payments.ports import PaymentGateway

from bitloot_verify.reconciliation.compare import OurPayment, OurPurchase


async def gateway_payments(
    gateway: PaymentGateway, since: datetime, ours: Iterable[OurPayment]
) -> Sequence[PaymentFacts]:
    """Every payment of the account, and those of ours that paid and are not in its list.

    The list begins with what was created at a time, and a payment may be older than our row.

    Raises:
        payments.errors.GatewayError: the gateway did not tell.
    """
    found = list(await gateway.payments_since(since))
    listed = {facts.payment_id for facts in found}
    for payment in ours:
        if payment.is_confirmed and payment.payment_id not in listed:
            with suppress(PaymentNotFound):  # then the comparison says so
                found.append(await gateway.payment(payment.payment_id))
    return found


async def supplier_orders(
    supplier: KeySupplier, since: datetime, purchases: Sequence[OurPurchase]
) -> Mapping[str, SupplierOrder | None]:
    """The supplier's orders by its own ids: all since a moment, and those of our purchases.

    Raises:
        fulfillment_kinguin.errors.SupplierError: the supplier did not tell.
    """
    try:
        listed = await supplier.orders_since(since)
    except NotSupported:
        return await _one_by_one(supplier, purchases)
    found: dict[str, SupplierOrder | None] = {order.order_id: order for order in listed}
    for purchase in purchases:
        if purchase.reservation_id not in found:
            found[purchase.reservation_id] = await _order(supplier, purchase.reservation_id)
    return found


async def _one_by_one(
    supplier: KeySupplier, purchases: Sequence[OurPurchase]
) -> Mapping[str, SupplierOrder | None]:
    found: dict[str, SupplierOrder | None] = {}
    for purchase in purchases:
        found[purchase.reservation_id] = await _order(supplier, purchase.reservation_id)
        if supplier.can_search:
            others = await supplier.orders_of(purchase.external_id)
            found.update({order.order_id: order for order in others})
    return found


async def _order(supplier: KeySupplier, order_id: str) -> SupplierOrder | None:
    try:
        return await supplier.order(order_id)
    except NotFound:
        return None
