"""What the customer reads for each status (design, section 4)."""

from typing import Final

from orders.domain.states import OrderStatus

STATUS_TEXT: Final[dict[OrderStatus, str]] = {
    OrderStatus.PLACED: "Your order is placed. The payment page is being prepared…",
    OrderStatus.AWAITING_PAYMENT: "Awaiting payment",
    OrderStatus.CONFIRMING: "Payment seen, waiting for its confirmation…",
    OrderStatus.PAID: "Your key is being prepared…",
    OrderStatus.FULFILLING: "Your key is being prepared…",
    OrderStatus.FULFILLED: "Your keys are ready. We have mailed you the link.",
    OrderStatus.UNDERPAID: (
        "We received less than the price, so nothing is shipped yet. "
        "Your money is safe: pay the rest or ask us for a refund."
    ),
    OrderStatus.PAID_LATE: (
        "Your payment arrived after the order had expired. "
        "We check whether we can still deliver; otherwise your money is refunded."
    ),
    OrderStatus.EXPIRED: (
        "No payment arrived in time, so the order has expired. "
        "If you have paid after all, your money is not lost: we will see it."
    ),
    OrderStatus.PAYMENT_FAILED: "The payment failed. Nothing was charged by us; please try again.",
    OrderStatus.NEEDS_ATTENTION: (
        "Something needs a person's look. We are on it; your money and your keys are safe."
    ),
    OrderStatus.REFUND_DUE: (
        "We could not deliver everything. The money for it is owed to you: "
        "the link in our mail lets you say where to send it."
    ),
    OrderStatus.REFUNDED: "Your money has been refunded.",
    OrderStatus.CANCELLED: "The order is cancelled. Please do not pay it any more.",
}
READY_TEXT: Final = "Your key is ready: open it below."
SOLD_OUT_TEXT: Final = (
    "Sorry: somebody else was faster, and what you ordered is sold out. "
    "The order is cancelled and nothing was charged. Please do not pay it."
)


def status_text(status: OrderStatus, *, has_ready_key: bool, is_sold_out: bool = False) -> str:
    """The sentence for the order page."""
    if is_sold_out and status is OrderStatus.CANCELLED:
        return SOLD_OUT_TEXT
    preparing = status in {OrderStatus.PAID, OrderStatus.FULFILLING}
    return READY_TEXT if preparing and has_ready_key else STATUS_TEXT[status]
