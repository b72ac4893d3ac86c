"""What admins see: every payment and every notification, and what each caused."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from persistence.database import Transaction

from payments.adapters.tables import ipns, noted_surpluses, payments, refundables


def _nothing(kind: type[sa.types.TypeEngine[Any]], name: str) -> sa.Label[Any]:
    return sa.cast(sa.null(), kind).label(name)


_PAYMENT_COLUMNS = sa.select(
    sa.literal("payment").label("kind"),
    payments.c.id,
    payments.c.first_seen_at.label("at"),
    payments.c.order_id,
    payments.c.payment_id,
    payments.c.status,
    payments.c.actually_paid,
    payments.c.pay_amount,
    payments.c.pay_currency,
    payments.c.price_amount,
    payments.c.price_currency,
    payments.c.outcome_amount,
    payments.c.outcome_currency,
    payments.c.invoice_id,
    payments.c.parent_payment_id,
    payments.c.purchase_id,
    payments.c.confirmed_at,
    payments.c.verdict.label("effect"),
    payments.c.verdict_reason.label("reason"),
    refundables.c.amount.label("refundable"),
    refundables.c.reason.label("refundable_reason"),
    noted_surpluses.c.amount.label("noted_surplus"),
    noted_surpluses.c.worth.label("noted_worth"),
    noted_surpluses.c.worth_currency.label("noted_worth_currency"),
)
_PAYMENTS = (
    _PAYMENT_COLUMNS.select_from(payments)
    .outerjoin(refundables, refundables.c.payment_id == payments.c.payment_id)
    .outerjoin(noted_surpluses, noted_surpluses.c.payment_id == payments.c.payment_id)
)
_IPNS = sa.select(
    sa.literal("ipn").label("kind"),
    ipns.c.id,
    ipns.c.received_at.label("at"),
    ipns.c.order_id,
    ipns.c.payment_id,
    ipns.c.status,
    ipns.c.actually_paid,
    _nothing(sa.Numeric, "pay_amount"),
    _nothing(sa.Text, "pay_currency"),
    _nothing(sa.Numeric, "price_amount"),
    _nothing(sa.Text, "price_currency"),
    _nothing(sa.Numeric, "outcome_amount"),
    _nothing(sa.Text, "outcome_currency"),
    _nothing(sa.Text, "invoice_id"),
    _nothing(sa.Text, "parent_payment_id"),
    _nothing(sa.Text, "purchase_id"),
    _nothing(sa.DateTime, "confirmed_at"),
    ipns.c.effect,
    ipns.c.reason,
    _nothing(sa.Numeric, "refundable"),
    _nothing(sa.Text, "refundable_reason"),
    _nothing(sa.Numeric, "noted_surplus"),
    _nothing(sa.Numeric, "noted_worth"),
    _nothing(sa.Text, "noted_worth_currency"),
)


async def entries(
    transaction: Transaction, limit: int, after: tuple[UUID] | None, order_id: UUID | None
) -> list[dict[str, Any]]:
    """Payments and notifications in one list, newest first; of one order, or all."""
    both = sa.union_all(
        _narrowed(_PAYMENTS, payments, after, order_id, limit),
        _narrowed(_IPNS, ipns, after, order_id, limit),
    ).subquery()
    rows = await transaction.execute(sa.select(both).order_by(both.c.id.desc()).limit(limit))
    return [_shown(row) for row in rows.mappings()]


def _narrowed(
    query: sa.Select[Any],
    table: sa.Table,
    after: tuple[UUID] | None,
    order_id: UUID | None,
    limit: int,
) -> sa.Select[Any]:
    if order_id is not None:
        query = query.where(table.c.order_id == order_id)
    if after is not None:
        query = query.where(table.c.id < after[0])
    return sa.select(query.order_by(table.c.id.desc()).limit(limit).subquery())


def _shown(row: Any) -> dict[str, Any]:
    return {
        name: f"{value:f}" if isinstance(value, Decimal) else value for name, value in row.items()
    }
