"""The messages and topics the services agree on: data, and nothing else.

Adding an optional field is free. Everything else is a new version of the type,
read side by side with the old one, and a line in the changelog.
"""

from contracts.delivery_updated import DeliveryState, DeliveryUpdated
from contracts.email_requested import EmailRequested
from contracts.fulfillment_requested_custom import FulfillmentRequestedCustom
from contracts.fulfillment_requested_kinguin import FulfillmentRequestedKinguin
from contracts.fulfillment_updated import FulfillmentState, FulfillmentUpdated
from contracts.key_ready import KeyReady
from contracts.message import Message, OrderMessage, Part
from contracts.offer_updated import OfferUpdated
from contracts.order_cancelled import OrderCancelled
from contracts.order_placed import OrderPlaced, PlacedLine
from contracts.payment_accepted import PaymentAccepted
from contracts.payment_confirmed import PaymentConfirmed
from contracts.payment_updated import PaymentState, PaymentUpdated, Refundable
from contracts.product_updated import ProductUpdated
from contracts.rollout_changed import RolloutChanged
from contracts.stock_returned import StockReturned
from contracts.stock_updated import Reservation, StockLevel, StockUpdated
from contracts.topics import Topic
from contracts.values import CoinAmount, Money, Sealed, SealedKey, SourceType

MESSAGES: tuple[type[Message], ...] = (
    PaymentConfirmed,
    FulfillmentRequestedCustom,
    FulfillmentRequestedKinguin,
    KeyReady,
    OrderPlaced,
    OrderCancelled,
    PaymentUpdated,
    PaymentAccepted,
    StockUpdated,
    StockReturned,
    FulfillmentUpdated,
    DeliveryUpdated,
    RolloutChanged,
    ProductUpdated,
    OfferUpdated,
    EmailRequested,
)
"""Every message, one a topic."""

__all__ = [
    "MESSAGES",
    "CoinAmount",
    "DeliveryState",
    "DeliveryUpdated",
    "EmailRequested",
    "FulfillmentRequestedCustom",
    "FulfillmentRequestedKinguin",
    "FulfillmentState",
    "FulfillmentUpdated",
    "KeyReady",
    "Message",
    "Money",
    "OfferUpdated",
    "OrderCancelled",
    "OrderMessage",
    "OrderPlaced",
    "Part",
    "PaymentAccepted",
    "PaymentConfirmed",
    "PaymentState",
    "PaymentUpdated",
    "PlacedLine",
    "ProductUpdated",
    "Refundable",
    "Reservation",
    "RolloutChanged",
    "Sealed",
    "SealedKey",
    "SourceType",
    "StockLevel",
    "StockReturned",
    "StockUpdated",
    "Topic",
]
