"""What buying shows: steps of purchases and money as they commit, states from the rows."""

from typing import Final

import sqlalchemy as sa
from persistence.measures import Measure
from persistence.readings import Reading, age_s, number

from fulfillment_kinguin.adapters.tables import (
    exchange_rates,
    followed_offers,
    purchases,
    supplier_guard,
)
from fulfillment_kinguin.domain.purchase import PurchaseState
from fulfillment_kinguin.domain.waiting import Waiting

PURCHASE_STEPS: Final = Measure(
    "kinguin_purchase_steps",
    "Purchases by the state they came to, and which attempt of its line it was",
    {"state": tuple(PurchaseState), "attempt": ("1", "2", "3")},
)
SPEND: Final = Measure(
    "kinguin_spend", "What Kinguin charged for placed orders", {"currency": ("EUR",)}
)

MEASURES: Final = (PURCHASE_STEPS, SPEND)

READINGS: Final = (
    Reading(
        "kinguin_purchases",
        "Purchases by state",
        sa.select(purchases.c.state, number()).group_by(purchases.c.state),
        {"state": tuple(PurchaseState)},
    ),
    Reading(
        "kinguin_oldest_unknown_age_seconds",
        "How long a purchase has been unknown to both sides at most",
        sa.select(age_s(purchases.c.unknown_since)).where(
            purchases.c.state == PurchaseState.UNKNOWN
        ),
    ),
    Reading(
        "kinguin_purchases_waiting",
        "Purchases that wait for something before they may be placed",
        sa.select(purchases.c.waits_for.label("reason"), number())
        .where(purchases.c.waits_for.is_not(None))
        .group_by(purchases.c.waits_for),
        {"reason": tuple(Waiting)},
    ),
)

WHILE_BUYING: Final = (
    Reading(
        "kinguin_exchange_rate_age_seconds",
        "Time since the day that the exchange rate is of began",
        sa.select(age_s(exchange_rates.c.rated_at)),
    ),
    Reading(
        "kinguin_balance_eur",
        "What the account can still spend, as heard last",
        # No figure is not zero euros.
        sa.select(
            sa.func.coalesce(
                sa.cast(supplier_guard.c.balance_eur, sa.Float), sa.literal(float("nan"))
            ).label("value")
        ),
    ),
    Reading(
        "kinguin_balance_read_timestamp_seconds",
        "When the balance was heard",
        sa.select(
            sa.cast(sa.extract("epoch", supplier_guard.c.balance_heard_at), sa.Float).label("value")
        ),
    ),
)
"""What nobody keeps up to date while buying is off in the settings."""

OFFERS: Final = Reading(
    "kinguin_oldest_offer_age_seconds",
    "How long Kinguin has not answered for an offer that is followed, at most",
    sa.select(
        age_s(sa.func.coalesce(followed_offers.c.seen_at, followed_offers.c.followed_since))
    ).where(followed_offers.c.due_at.is_not(None)),
)
"""Where the dialect tells prices."""
