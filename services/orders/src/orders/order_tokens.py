"""The order's own token and its links: the same text each time, so that mails can be repeated."""

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


class OrderLinks:
    """Links to an order's pages. The token stands after `#`: no server and no log ever sees it."""

    def __init__(self, signer: TokenSigner, storefront_url: str) -> None:
        self._signer = signer
        self._shop_url = storefront_url.rstrip("/")

    def order(self, order: Order) -> str:
        """The page that shows how the order stands, and its reported keys."""
        return self._link("orders", order)

    def refund(self, order: Order) -> str:
        """The page that takes an address, and shows what was sent."""
        return self._link("refunds", order)

    def _link(self, page: str, order: Order) -> str:
        return f"{self._shop_url}/{page}/{order.id}#{order_token(self._signer, order)}"
