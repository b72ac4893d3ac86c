"""What is read of each database: one small type a table, named as the tables are."""

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID


class Order(NamedTuple):
    """orders.orders."""

    id: UUID
    currency: str
    total: Decimal
    status: str
    money: str
    cancelled: bool
    attention: list[str]
    placed_at: datetime
    payment_id: str | None = None


class Item(NamedTuple):
    """orders.order_items."""

    id: UUID
    order_id: UUID
    product_id: UUID
    quantity: int
    unit_price: Decimal
    source_type: str
    status: str
    cancellation: str | None
    replaces: UUID | None = None


class ItemStep(NamedTuple):
    """orders.order_history, of one item, in order."""

    item_id: UUID
    status: str


class AuditEntry(NamedTuple):
    """orders.audit_log."""

    action: str
    subject: str


class Invoice(NamedTuple):
    """payments.invoices."""

    order_id: UUID
    price_amount: Decimal
    price_currency: str
    state: str


class Payment(NamedTuple):
    """payments.payments."""

    payment_id: str
    order_id: UUID
    status: str
    actually_paid: Decimal
    verdict: str | None
    verdict_reason: str | None
    pay_amount: Decimal | None = None


class Confirmation(NamedTuple):
    """payments.confirmations."""

    order_id: UUID
    payment_id: str


class Acceptance(NamedTuple):
    """payments.acceptances: a part payment that pays its order, by an admin's word."""

    order_id: UUID
    payment_id: str


class Ipn(NamedTuple):
    """payments.ipns."""

    id: UUID
    received_at: datetime
    effect: str | None


class CustomLine(NamedTuple):
    """fulfillment_custom.lines."""

    id: UUID
    order_id: UUID
    quantity: int
    state: str


class StockKey(NamedTuple):
    """fulfillment_custom.stock_keys with the line that has it, or for which it is held."""

    id: UUID
    product_id: UUID
    fingerprint: str
    origin: str
    state: str
    line_id: UUID | None
    reserved_for: UUID | None


class Upload(NamedTuple):
    """fulfillment_custom.uploads, summed."""

    product_id: UUID
    added: int


class KinguinLine(NamedTuple):
    """fulfillment_kinguin.lines."""

    id: UUID
    order_id: UUID
    quantity: int
    state: str


class Purchase(NamedTuple):
    """fulfillment_kinguin.purchases."""

    id: UUID
    line_id: UUID
    external_id: str
    state: str
    posts: int
    reservation_id: str | None
    return_taken: bool


class PurchaseStep(NamedTuple):
    """fulfillment_kinguin.purchase_history, in order."""

    purchase_id: UUID
    from_state: str | None
    to_state: str


class BoughtKey(NamedTuple):
    """fulfillment_kinguin.purchase_keys."""

    purchase_id: UUID
    fingerprint: str


class Delivery(NamedTuple):
    """delivery.deliveries."""

    id: UUID
    line_id: UUID
    order_id: UUID
    fingerprints: list[str]
    state: str
    was_revealed: bool
    reveals_used: int
    ready_at: datetime | None
    object_key: str | None
    checksum: str | None


class Mail(NamedTuple):
    """delivery.mails; `about` is the order's id for key mails."""

    id: UUID
    about: str
    kind: str
    state: str


class NamedObject(NamedTuple):
    """delivery.deliveries, of all times: the bucket is listed as a whole."""

    object_key: str


class Reveals(NamedTuple):
    """delivery.reveal_log, counted."""

    delivery_id: UUID
    number: int


class Job(NamedTuple):
    """A row of the jobs of one service."""

    service: str
    kind: str
    subject: str
    due_at: datetime
    lease_until: datetime | None


class DeadLetter(NamedTuple):
    """A dead letter of one service that has not been given up."""

    service: str
    id: UUID


class Refundable(NamedTuple):
    """payments.refundables: money that somebody is owed."""

    payment_id: str
    order_id: UUID
    amount: Decimal


class NotedSurplus(NamedTuple):
    """payments.noted_surpluses: what a payment has too much, too little to send back."""

    payment_id: str
    amount: Decimal


class Refund(NamedTuple):
    """orders.refunds: for a line or for a payment."""

    order_id: UUID
    item_id: UUID | None
    payment_id: str | None
    amount: Decimal
    state: str


class BadKeyCase(NamedTuple):
    """orders.bad_key_cases."""

    id: UUID
    item_id: UUID
    state: str


class Rollout(NamedTuple):
    """orders.rollout, the present one."""

    version: int


class RolloutChange(NamedTuple):
    """orders.audit_log: from which version to which; releases before decision 22 did not say."""

    before: int | None
    after: int | None
