"""`payment.accepted`: an admin took a part payment for the whole price, once an order."""

from typing import ClassVar, Literal

from contracts.message import OrderMessage
from contracts.topics import Topic


class PaymentAccepted(OrderMessage):
    """orders → payments: this payment has paid the order, what others hold is owed back."""

    topic: ClassVar[Topic] = Topic.PAYMENT_ACCEPTED

    type: Literal["payment.accepted.v1"] = "payment.accepted.v1"
    payment_id: str
