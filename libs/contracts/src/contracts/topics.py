"""Every topic of the system: the one place where a name is spelled.

The first four are given by the product; the others were agreed later.
All have twelve partitions, keep messages seven days and refuse more than 1 MiB.
"""

from enum import StrEnum
from typing import Final


class Topic(StrEnum):
    """A Kafka topic, named after the message it carries."""

    PAYMENT_CONFIRMED = "payment.confirmed"
    FULFILLMENT_REQUESTED_CUSTOM = "fulfillment.requested.custom"
    FULFILLMENT_REQUESTED_KINGUIN = "fulfillment.requested.kinguin"
    KEY_READY = "key.ready"
    ORDER_PLACED = "order.placed"
    ORDER_CANCELLED = "order.cancelled"
    PAYMENT_UPDATED = "payment.updated"
    PAYMENT_ACCEPTED = "payment.accepted"
    STOCK_UPDATED = "stock.updated"
    STOCK_RETURNED = "stock.returned"
    FULFILLMENT_UPDATED = "fulfillment.updated"
    DELIVERY_UPDATED = "delivery.updated"
    ROLLOUT_CHANGED = "rollout.changed"
    PRODUCT_UPDATED = "product.updated"
    OFFER_UPDATED = "offer.updated"
    EMAIL_REQUESTED = "email.requested"


PARTITIONS: Final = 12
RETENTION_MS: Final = 7 * 24 * 60 * 60 * 1000
MAX_MESSAGE_BYTES: Final = 1024 * 1024
