"""`payment.confirmed`: the money of an order is in, once an order."""

from typing import ClassVar, Literal

from contracts.message import OrderMessage
from contracts.topics import Topic
from contracts.values import CoinAmount, Money


class PaymentConfirmed(OrderMessage):
    """payments → orders: checked against our order and against the gateway."""

    topic: ClassVar[Topic] = Topic.PAYMENT_CONFIRMED

    type: Literal["payment.confirmed.v1"] = "payment.confirmed.v1"
    payment_id: str
    price: Money
    paid: CoinAmount
