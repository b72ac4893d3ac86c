"""Compare what the gateway and the supplier say with what our books say."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from fulfillment_kinguin.domain.supply import OrderStatus, SupplierOrder
from payments.domain.payment import ARRIVED, PaymentFacts, PaymentStatus


class Kind(StrEnum):
    """What kind of difference it is."""

    UNKNOWN_PAYMENT = "unknown_payment"
    UNKNOWN_TO_GATEWAY = "payment_unknown_to_gateway"
    STATUS = "payment_status"
    AMOUNT = "payment_amount"
    CONFIRMED_UNFINISHED = "confirmed_but_not_finished"
    REFUNDED_AFTER_DELIVERY = "refunded_after_delivery"
    PAID_ORDER_WITHOUT_MONEY = "paid_order_without_money"
    MONEY_WITHOUT_PAID_ORDER = "money_without_paid_order"
    UNKNOWN_PURCHASE = "purchase_unknown_to_supplier"
    BOUGHT_TWICE = "bought_twice"
    UNKNOWN_SUPPLIER_ORDER = "unknown_supplier_order"
    PURCHASE_STATUS = "purchase_status"
    PURCHASE_PRICE = "purchase_price"


@dataclass(frozen=True, slots=True)
class Difference:
    """One row to work on; the amount is what may be at stake, None where it is not known."""

    kind: Kind
    subject: str
    says: str
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class OurPayment:
    """payments' row; `is_confirmed`: it has paid its order; `is_noted`: owed back, on record."""

    payment_id: str
    order_id: UUID
    status: str
    actually_paid: Decimal
    pay_currency: str | None
    is_confirmed: bool
    is_noted: bool


@dataclass(frozen=True, slots=True)
class OurOrder:
    """orders' row; `is_accepted`: an admin took less than was asked, on record."""

    id: UUID
    total: Decimal
    currency: str
    is_paid: bool
    is_delivered: bool
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class OurPurchase:
    """fulfillment-kinguin's row, of an order that Kinguin has given an id."""

    external_id: str
    reservation_id: str
    state: str
    price_charged_eur: Decimal | None


@dataclass(frozen=True, slots=True)
class KnownPurchase:
    """What fulfillment-kinguin has noted for an order that Kinguin names, whenever it was made."""

    external_id: str
    reservation_id: str | None
    state: str

    @property
    def explains(self) -> bool:
        """Whether an order under its external id is no surprise: adopted, or still looked for."""
        return self.reservation_id is not None or self.state in _IN_FLIGHT


_OPEN: Final = frozenset({"placed", "slow", "needs_attention"})
_IN_FLIGHT: Final = frozenset({"placing", "unknown"})
_GONE: Final = frozenset({OrderStatus.CANCELED, OrderStatus.REFUNDED})


def compare_payments(
    gateway: Sequence[PaymentFacts],
    payments: Mapping[str, OurPayment],
    orders: Mapping[UUID, OurOrder],
) -> Iterator[Difference]:
    """What the gateway says of its payments against ours, and what it does not know of ours."""
    known = {facts.payment_id for facts in gateway}
    for ours in payments.values():
        if ours.is_confirmed and ours.payment_id not in known:
            says = f"it has paid order {ours.order_id}, and the gateway knows no such payment"
            money = (ours.actually_paid, ours.pay_currency)
            yield Difference(Kind.UNKNOWN_TO_GATEWAY, f"payment {ours.payment_id}", says, *money)
    for facts in gateway:
        row = payments.get(facts.payment_id)
        if row is None:
            yield from _unknown(facts)
        else:
            yield from _differing(facts, row, orders.get(row.order_id))


def _unknown(facts: PaymentFacts) -> Iterator[Difference]:
    if facts.status in ARRIVED:
        says = f"the gateway has it {facts.word} for order {facts.order_id}; payments does not"
        yield Difference(
            Kind.UNKNOWN_PAYMENT,
            f"payment {facts.payment_id}",
            says,
            facts.actually_paid,
            facts.pay_currency,
        )


def _differing(
    facts: PaymentFacts, ours: OurPayment, order: OurOrder | None
) -> Iterator[Difference]:
    subject = f"payment {facts.payment_id}"
    money = (facts.actually_paid, facts.pay_currency)
    if facts.status is not None and facts.status.value != ours.status:
        yield Difference(Kind.STATUS, subject, f"there {facts.word}, here {ours.status}", *money)
    if facts.actually_paid != ours.actually_paid:
        says = f"there {facts.actually_paid:f} paid, here {ours.actually_paid:f}"
        missing = abs(facts.actually_paid - ours.actually_paid)
        yield Difference(Kind.AMOUNT, subject, says, missing, facts.pay_currency)
    if not ours.is_confirmed:
        return
    if facts.status is PaymentStatus.REFUNDED:
        is_delivered = order is not None and order.is_delivered
        kind = Kind.REFUNDED_AFTER_DELIVERY if is_delivered else Kind.CONFIRMED_UNFINISHED
        yield Difference(kind, subject, "the gateway gave the money back", *money)
    elif facts.status is not PaymentStatus.FINISHED:
        yield Difference(Kind.CONFIRMED_UNFINISHED, subject, f"there {facts.word}", *money)


def compare_orders(
    payments: Sequence[OurPayment], orders: Sequence[OurOrder]
) -> Iterator[Difference]:
    """Our two books against each other: what is paid there is paid here."""
    confirmed = {payment.order_id for payment in payments if payment.is_confirmed}
    for order in orders:
        money = (order.total, order.currency)
        if order.is_paid and order.id not in confirmed and not order.is_accepted:
            says = "paid in orders, but payments confirmed no money"
            yield Difference(Kind.PAID_ORDER_WITHOUT_MONEY, f"order {order.id}", says, *money)
        if not order.is_paid and order.id in confirmed:
            says = "payments confirmed its money, but it is not paid in orders"
            yield Difference(Kind.MONEY_WITHOUT_PAID_ORDER, f"order {order.id}", says, *money)


def compare_purchases(
    purchases: Sequence[OurPurchase], supplier: Mapping[str, SupplierOrder | None]
) -> Iterator[Difference]:
    """Our purchases against the supplier's orders, by the supplier's id; None: it has none."""
    for purchase in purchases:
        subject = f"purchase {purchase.external_id}"
        cost = (purchase.price_charged_eur, "EUR")
        order = supplier.get(purchase.reservation_id)
        if order is None:
            says = f"the supplier knows no order {purchase.reservation_id}"
            yield Difference(Kind.UNKNOWN_PURCHASE, subject, says, *cost)
            continue
        yield from _differing_purchase(purchase, order, subject)
    twice = Counter(order.external_id for order in supplier.values() if order and _stands(order))
    for external_id, number in twice.items():
        if external_id is not None and number > 1:
            says = f"the supplier has {number} standing orders for it"
            yield Difference(Kind.BOUGHT_TWICE, f"purchase {external_id}", says)


def compare_supplier_orders(
    supplier: Mapping[str, SupplierOrder | None], known: Sequence[KnownPurchase]
) -> Iterator[Difference]:
    """What the supplier has sold to us and no purchase of ours has asked for, or counts on."""
    explained = {purchase.external_id for purchase in known if purchase.explains}
    adopted = {purchase.reservation_id for purchase in known}
    for order in supplier.values():
        if order is None or not _stands(order):
            continue
        if order.order_id not in adopted and order.external_id not in explained:
            says = f"bought under external id {order.external_id}; no purchase of ours counts on it"
            yield Difference(
                Kind.UNKNOWN_SUPPLIER_ORDER,
                f"supplier's order {order.order_id}",
                says,
                order.price_charged,
                "EUR",
            )


def _stands(order: SupplierOrder) -> bool:
    return order.status not in _GONE


def _differing_purchase(
    purchase: OurPurchase, order: SupplierOrder, subject: str
) -> Iterator[Difference]:
    says = f"there {order.status.value}, here {purchase.state}"
    is_ready = purchase.state == "keys_ready"
    if (is_ready and not _stands(order)) or (
        purchase.state in _OPEN and order.status is not OrderStatus.PROCESSING
    ):
        yield Difference(Kind.PURCHASE_STATUS, subject, says, order.price_charged, "EUR")
    charged, noted = order.price_charged, purchase.price_charged_eur
    if charged is not None and noted is not None and charged != noted:
        says = f"there EUR {charged:f}, here EUR {noted:f}"
        yield Difference(Kind.PURCHASE_PRICE, subject, says, abs(charged - noted), "EUR")
