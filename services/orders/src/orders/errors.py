"""What can go wrong in orders.

OrdersError
├── UnknownOrder
├── UnknownProduct
├── SoldOut
├── CannotPlace            the request can never succeed as it stands
├── IdempotencyConflict    the key was used for another request
├── ImportRunning          products are being imported already
├── WrongAddress           not a refund address; `field` says what to change
├── UnknownRefund
├── UnknownItem
├── UnknownCase
└── ActionRefused          an admin action that does not fit the order's state
"""

from uuid import UUID


class OrdersError(Exception):
    """Base of everything orders raises itself."""


class UnknownOrder(OrdersError):
    """There is no such order (yet)."""

    def __init__(self, order_id: UUID) -> None:
        self.order_id = order_id
        super().__init__(f"no order {order_id}")


class UnknownProduct(OrdersError):
    """No product with this id is on sale."""

    def __init__(self, product_id: UUID) -> None:
        self.product_id = product_id
        super().__init__(f"no product {product_id} is on sale")


class SoldOut(OrdersError):
    """Fewer keys are free than were asked for."""

    def __init__(self, title: str) -> None:
        super().__init__(f"{title} is sold out")


class CannotPlace(OrdersError):
    """The order can never be accepted as it stands; `field` says what to change."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


class IdempotencyConflict(OrdersError):
    """The Idempotency-Key was used for another body."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used for another order: use a fresh one")


class ImportRunning(OrdersError):
    """Products are being imported already; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("another import is running: send this one again when it has ended")


class WrongAddress(OrdersError):
    """Money cannot be sent there; the text that was given is not repeated."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(f"{field} {reason}")


class UnknownRefund(OrdersError):
    """Nothing is owed under this id."""

    def __init__(self, refund_id: UUID) -> None:
        self.refund_id = refund_id
        super().__init__(f"no refund {refund_id}")


class UnknownItem(OrdersError):
    """The order has no line with this id."""

    def __init__(self, item_id: UUID) -> None:
        self.item_id = item_id
        super().__init__(f"no line {item_id}")


class UnknownCase(OrdersError):
    """No key was reported under this id."""

    def __init__(self, case_id: UUID) -> None:
        self.case_id = case_id
        super().__init__(f"no case {case_id}")


class ActionRefused(OrdersError):
    """The action does not fit the state the order is in; nothing was changed."""
