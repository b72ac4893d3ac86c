"""A supplier whose every call is counted and timed by its outcome.

It adds nothing else: what the supplier raises goes on as it is.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Final

from persistence.measures import Measure, Measurements

from fulfillment_kinguin.domain.supply import (
    OrderToPlace,
    Product,
    ProductPage,
    SupplierKey,
    SupplierOrder,
)
from fulfillment_kinguin.errors import (
    InsufficientBalance,
    NotFound,
    NothingBought,
    NotSupported,
    ReturnRefused,
    SupplierError,
    Unauthorized,
)
from fulfillment_kinguin.ports import KeySupplier

_OUTCOMES: Final[Sequence[tuple[type[Exception], str]]] = (
    (Unauthorized, "unauthorized"),
    (InsufficientBalance, "insufficient_balance"),
    (NothingBought, "refused"),
    (ReturnRefused, "refused"),
    (NotFound, "not_found"),
    (NotSupported, "not_supported"),
    (SupplierError, "unclear"),
)
_OPERATIONS: Final = (
    *("place", "orders_of", "orders_since", "order", "keys", "return_keys"),
    *("product", "products", "products_by_ids", "balance"),
)

REQUESTS: Final = Measure(
    "kinguin_request_seconds",
    "Calls of Kinguin by what came of them; reads with the wait for our own rate limit",
    {"operation": _OPERATIONS, "outcome": ("ok", *dict(_OUTCOMES).values())},
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 45),
)


class MeasuredSupplier:
    """Implements `KeySupplier` by another one."""

    def __init__(self, supplier: KeySupplier, measurements: Measurements) -> None:
        self._supplier = supplier
        self._measurements = measurements

    @property
    def can_search(self) -> bool:
        """See `KeySupplier`."""
        return self._supplier.can_search

    @property
    def knows_prices(self) -> bool:
        """See `KeySupplier`."""
        return self._supplier.knows_prices

    @property
    def can_return(self) -> bool:
        """See `KeySupplier`."""
        return self._supplier.can_return

    @property
    def max_quantity(self) -> int:
        """See `KeySupplier`."""
        return self._supplier.max_quantity

    async def wait_for_turn(self) -> None:
        """See `KeySupplier`."""
        await self._supplier.wait_for_turn()

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        """See `KeySupplier`."""
        with self._measured("place"):
            return await self._supplier.place(order)

    async def orders_of(self, external_id: str) -> Sequence[SupplierOrder]:
        """See `KeySupplier`."""
        with self._measured("orders_of"):
            return await self._supplier.orders_of(external_id)

    async def orders_since(self, since: datetime) -> Sequence[SupplierOrder]:
        """See `KeySupplier`."""
        with self._measured("orders_since"):
            return await self._supplier.orders_since(since)

    async def order(self, order_id: str) -> SupplierOrder:
        """See `KeySupplier`."""
        with self._measured("order"):
            return await self._supplier.order(order_id)

    async def keys(self, order_id: str) -> Sequence[SupplierKey]:
        """See `KeySupplier`."""
        with self._measured("keys"):
            return await self._supplier.keys(order_id)

    async def return_keys(self, order_id: str) -> None:
        """See `KeySupplier`."""
        with self._measured("return_keys"):
            await self._supplier.return_keys(order_id)

    async def product(self, product_id: str) -> Product:
        """See `KeySupplier`."""
        with self._measured("product"):
            return await self._supplier.product(product_id)

    async def products(self, name: str, *, page: int, limit: int) -> ProductPage:
        """See `KeySupplier`."""
        with self._measured("products"):
            return await self._supplier.products(name, page=page, limit=limit)

    async def products_by_ids(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """See `KeySupplier`."""
        with self._measured("products_by_ids"):
            return await self._supplier.products_by_ids(product_ids)

    async def balance(self) -> Decimal:
        """See `KeySupplier`."""
        with self._measured("balance"):
            return await self._supplier.balance()

    @contextmanager
    def _measured(self, operation: str) -> Iterator[None]:
        started, outcome = time.perf_counter(), "ok"
        try:
            yield
        except Exception as error:
            outcome = next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "other")
            raise
        finally:
            took = time.perf_counter() - started
            self._measurements.count(REQUESTS, took, operation=operation, outcome=outcome)
