"""What orders shows: how orders end, how long a paid line waits, and what waits now.

The promise is measured here: from the confirmed payment until the link is on the order page.
"""

from typing import Final

import sqlalchemy as sa
from contracts import SourceType
from persistence.measures import Measure
from persistence.readings import Reading, age_s, number

from orders.adapters.tables import (
    bad_key_cases,
    order_items,
    orders,
    products,
    refunds,
    rollout,
)
from orders.domain.bad_key import CaseState
from orders.domain.refund import RefundState
from orders.domain.states import LineStatus, OrderStatus

SOURCES: Final = (SourceType.CUSTOM.value, SourceType.KINGUIN.value)

STATUS_CHANGES: Final = Measure(
    "order_status_changes", "Orders by the status they came to", {"status": tuple(OrderStatus)}
)
PAID_TO_DELIVERED: Final = Measure(
    "paid_to_delivered_seconds",
    "From the confirmed payment of a line until its key is on the order page",
    {"source": SOURCES},
    (1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 21_600, 86_400),
)

ROLLOUT_STEPS_BACK: Final = Measure(
    "rollout_steps_back", "How often Kinguin was taken back a step by the guard"
)

MEASURES: Final = (STATUS_CHANGES, PAID_TO_DELIVERED, ROLLOUT_STEPS_BACK)

LOW_STOCK: Final = 5
"""Free keys below which a product is `low`: a person has time to upload before it is `none`."""

_WAITING: Final = (LineStatus.WAITING, LineStatus.REQUESTED, LineStatus.DELAYED)
# Through the index on orders.status: few orders have money and are not finished.
_UNFINISHED: Final = (
    OrderStatus.PAID,
    OrderStatus.PAID_LATE,
    OrderStatus.FULFILLING,
    OrderStatus.NEEDS_ATTENTION,
)
_unfilled = (
    sa.select(
        order_items.c.product_source_type.label("source"),
        # What replaces a bad key is asked for long after the money came.
        sa.case(
            (order_items.c.replaces.is_not(None), order_items.c.requested_at),
            else_=orders.c.paid_at,
        ).label("paid_at"),
    )
    .join(orders, orders.c.id == order_items.c.order_id)
    .where(
        orders.c.status.in_(_UNFINISHED),
        orders.c.paid_at.is_not(None),
        order_items.c.status.in_(_WAITING),
    )
    .subquery()
)
_stock = sa.case(
    (products.c.free_stock == 0, "none"),
    (products.c.free_stock < LOW_STOCK, "low"),
    else_="enough",
).label("stock")

READINGS: Final = (
    Reading(
        "rollout_percent",
        "Of a hundred products that Kinguin may serve, those that it does; 0 while it is off",
        sa.select(
            sa.case((rollout.c.kinguin_enabled, rollout.c.rollout_percent), else_=0).label("value")
        ),
    ),
    Reading(
        "orders",
        "Orders by status",
        sa.select(orders.c.status, number()).group_by(orders.c.status),
        {"status": tuple(OrderStatus)},
    ),
    Reading(
        "oldest_paid_unfilled_age_seconds",
        "Time since the payment of the oldest paid line without a key",
        sa.select(_unfilled.c.source, age_s(_unfilled.c.paid_at)).group_by(_unfilled.c.source),
        {"source": SOURCES},
    ),
    Reading(
        "paid_unfilled_lines",
        "Paid lines without a key",
        sa.select(_unfilled.c.source, number()).group_by(_unfilled.c.source),
        {"source": SOURCES},
    ),
    Reading(
        "refunds",
        "Money that is owed back, by where it is",
        sa.select(refunds.c.state, number()).group_by(refunds.c.state),
        {"state": tuple(RefundState)},
    ),
    Reading(
        "refunds_oldest_waiting_age_seconds",
        "Time since the oldest refund that is not sent became due, by what it waits for",
        sa.select(refunds.c.state, age_s(refunds.c.due_at))
        .where(refunds.c.state != RefundState.SENT)
        .group_by(refunds.c.state),
        {"state": (RefundState.DUE.value, RefundState.ADDRESS_GIVEN.value)},
    ),
    Reading(
        "bad_key_cases",
        "Keys that buyers reported, by what became of the case",
        sa.select(bad_key_cases.c.state, number()).group_by(bad_key_cases.c.state),
        {"state": tuple(CaseState)},
    ),
    Reading(
        "bad_key_cases_oldest_open_age_seconds",
        "Time since the oldest reported key that nobody has decided about was reported",
        sa.select(age_s(bad_key_cases.c.opened_at)).where(bad_key_cases.c.state == CaseState.OPEN),
    ),
    Reading(
        "bad_key_cases_due",
        "Reported keys without a decision whose return window ends, or that are open too long",
        sa.select(number()).where(
            bad_key_cases.c.state == CaseState.OPEN,
            bad_key_cases.c.due_at <= sa.func.clock_timestamp(),
        ),
    ),
    Reading(
        "custom_products",
        "Products on sale from own stock, by free keys",
        sa.select(_stock, number())
        .where(products.c.source_type == "custom", products.c.status == "active")
        .group_by(_stock),
        {"stock": ("none", "low", "enough")},
    ),
)
