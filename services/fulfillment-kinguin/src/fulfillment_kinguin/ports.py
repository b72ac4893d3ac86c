"""What fulfillment-kinguin needs from outside: somebody who sells keys, and exchange rates."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Protocol

from fulfillment_kinguin.domain.exchange import Rate
from fulfillment_kinguin.domain.supply import (
    OrderToPlace,
    Product,
    ProductPage,
    SupplierKey,
    SupplierOrder,
)

MOST_PRODUCTS: Final = 100
"""The most products that can be asked for at once (Kinguin's limit for a page)."""


class KeySupplier(Protocol):
    """Sells game keys; every method may raise `Unclear`, reads may be repeated freely."""

    @property
    def can_search(self) -> bool:
        """Whether orders can be found by external id; if not, a lost answer needs a person."""
        ...

    @property
    def knows_prices(self) -> bool:
        """Whether `product` works; if not, the price limit cannot be checked beforehand."""
        ...

    @property
    def can_return(self) -> bool:
        """Whether keys can be given back at all."""
        ...

    @property
    def max_quantity(self) -> int:
        """The most keys one order may have."""
        ...

    async def wait_for_turn(self) -> None:
        """Wait until the rate limit lets a request go; the next POST then goes out at once.

        Whoever posts waits before it looks at its lease: a lease may end during the wait.
        """
        ...

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        """Buy, with one request that is never repeated.

        Raises:
            NothingBought: a definite refusal.
            Unclear: anything else; the order may exist.
        """
        ...

    async def orders_of(self, external_id: str) -> Sequence[SupplierOrder]:
        """Every order with exactly this external id.

        Raises:
            NotSupported: orders cannot be searched.
            Unclear: no answer that can be trusted; this is not the same as none found.
        """
        ...

    async def orders_since(self, since: datetime) -> Sequence[SupplierOrder]:
        """Every order of the account that was made at this moment or later, each once.

        Raises:
            NotSupported: this dialect does not list orders.
            Unclear: no answer that can be trusted.
        """
        ...

    async def order(self, order_id: str) -> SupplierOrder:
        """How far an order is.

        Raises:
            NotFound: there is no such order (yet).
        """
        ...

    async def keys(self, order_id: str) -> Sequence[SupplierKey]:
        """All keys delivered so far, each once.

        Raises:
            NotFound: there is no such order (yet).
            UnreadableKey: one is not what it says it is.
        """
        ...

    async def return_keys(self, order_id: str) -> None:
        """Ask to give all keys of an order back, with one request that is never repeated.

        The order says when it is done; of one order one return is taken.

        Raises:
            ReturnRefused: claimed, too late, or asked before.
            NotSupported: this dialect takes none back.
            Unclear: anything else; it may have been taken.
        """
        ...

    async def product(self, product_id: str) -> Product:
        """A product with its present price.

        Raises:
            NotFound: unknown, or not on sale at the moment.
            NotSupported: this dialect has no products.
        """
        ...

    async def products(self, name: str, *, page: int, limit: int) -> ProductPage:
        """Products by a part of their name of at least 3 characters; pages count from 1.

        Raises:
            NotSupported: this dialect has no products.
        """
        ...

    async def products_by_ids(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """These products, at most `MOST_PRODUCTS`, with their present prices.

        One that is unknown or not on sale may be missing.

        Raises:
            Refused: an id among them is none.
            NotSupported: this dialect has no products.
            Unclear: no answer that can be trusted, which is not the same as none on sale.
        """
        ...

    async def balance(self) -> Decimal:
        """What the account can still spend, in euros.

        Raises:
            NotSupported: this dialect does not tell.
        """
        ...


class ExchangeRates(Protocol):
    """What a euro costs in US dollars, never older than the shop allows."""

    async def current(self) -> Rate:
        """The rate to compare prices by now.

        Raises:
            RateTooOld: none is young enough; nothing may be bought until one is.
        """
        ...


class RateSource(Protocol):
    """Somebody who says what a euro costs."""

    async def latest(self) -> Rate:
        """The newest rate there is.

        Raises:
            RateNotHeard: no answer, or none that can be read.
        """
        ...
