"""The order's own token: the same text each time, so that answers and links can be repeated."""

from datetime import timedelta
from typing import Final

from webkit.tokens import Principal, Scope, TokenSigner

from orders.domain.order import Order

# The token ends 72 h after delivery, which is judged by the order; this is the outer bound.
TOKEN_LIFETIME: Final = timedelta(days=180)


def order_token(signer: TokenSigner, order: Order) -> str:
    """The token that opens this order and no other."""
    return signer.issue(
        Principal(Scope.ORDER, str(order.id)),
        issued_at=order.placed_at,
        expires_at=order.placed_at + TOKEN_LIFETIME,
        token_id=str(order.id),
    )
