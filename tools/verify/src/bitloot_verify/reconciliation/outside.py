"""The other sides of the reconciliation, asked through the services' own adapters."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fulfillment_kinguin.domain.supply import SupplierOrder
from fulfillment_kinguin.errors import NotFound
from fulfillment_kinguin.ports import KeySupplier
from payments.domain.payment import PaymentFacts
from payments.ports import PaymentGateway

from bitloot_verify.reconciliation.compare import OurPurchase


async def gateway_payments(gateway: PaymentGateway, since: datetime) -> Sequence[PaymentFacts]:
    """Every payment of the account.

    Raises:
        payments.errors.GatewayError: the gateway did not tell.
    """
    return await gateway.payments_since(since)


async def supplier_orders(
    supplier: KeySupplier, purchases: Sequence[OurPurchase]
) -> Mapping[str, SupplierOrder | None]:
    """The supplier's orders by its own ids: those we know, and others of the same external id.

    Raises:
        fulfillment_kinguin.errors.SupplierError: the supplier did not tell.
    """
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
