"""Builders of valid messages for the tests of every service, by who sends them.

Every argument has a default, so a test states only what matters to it. Ids are fresh at
each call; the time is one fixed moment. `model_copy` makes the odd cases (a None id).
"""

from contracts.testing.delivery import a_delivery_updated
from contracts.testing.fulfillment import (
    a_fulfillment_updated,
    a_key_ready,
    a_reservation,
    a_stock_level,
    a_stock_returned,
    a_stock_updated,
    an_offer_updated,
)
from contracts.testing.orders import (
    a_fulfillment_requested_custom,
    a_fulfillment_requested_kinguin,
    a_payment_accepted,
    a_placed_line,
    a_product_updated,
    a_rollout_changed,
    an_email_requested,
    an_order_cancelled,
    an_order_placed,
)
from contracts.testing.payments import a_payment_confirmed, a_payment_updated
from contracts.testing.values import (
    OCCURRED_AT,
    Envelope,
    OrderEnvelope,
    a_coin_amount,
    a_price,
    a_sealed,
    a_sealed_key,
    a_uuid,
)

__all__ = [
    "OCCURRED_AT",
    "Envelope",
    "OrderEnvelope",
    "a_coin_amount",
    "a_delivery_updated",
    "a_fulfillment_requested_custom",
    "a_fulfillment_requested_kinguin",
    "a_fulfillment_updated",
    "a_key_ready",
    "a_payment_accepted",
    "a_payment_confirmed",
    "a_payment_updated",
    "a_placed_line",
    "a_price",
    "a_product_updated",
    "a_reservation",
    "a_rollout_changed",
    "a_sealed",
    "a_sealed_key",
    "a_stock_level",
    "a_stock_returned",
    "a_stock_updated",
    "a_uuid",
    "an_email_requested",
    "an_offer_updated",
    "an_order_cancelled",
    "an_order_placed",
]
