"""Add and change products; each change leaves an audit row."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from contracts import SourceType
from foundation.clock import Clock
from persistence.database import Database, Transaction

from orders.adapters import audit, catalogue_repository
from orders.adapters.publish_product_updated import publish_product_updated
from orders.domain.catalogue import Product, concerns_kinguin
from orders.errors import CannotPlace, UnknownProduct


def check_source(product: Product) -> Product:
    """The product, if its source can serve it.

    Raises:
        CannotPlace: a Kinguin product without Kinguin's id.
    """
    if product.source_type is SourceType.KINGUIN and not product.kinguin_product_id:
        raise CannotPlace("kinguin_product_id", "is needed for source_type kinguin")
    return product


class ManageProducts:
    """The admin's hands on the catalogue."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, product: Product, *, actor: str) -> Product:
        """Put a product on the shelf.

        Raises:
            CannotPlace: a field is missing for its source.
        """
        check_source(product)
        async with self._database.transaction() as transaction:
            await catalogue_repository.add(transaction, [product])
            await self._tell(transaction, None, product)
            await self._audit(transaction, actor, "product.added", None, product)
        return product

    async def change(self, product_id: UUID, changes: Mapping[str, Any], *, actor: str) -> Product:
        """Change the given fields.

        Raises:
            UnknownProduct: there is none with this id.
            CannotPlace: a field is missing for its source.
        """
        async with self._database.transaction() as transaction:
            before = await catalogue_repository.find(transaction, product_id, lock=True)
            if before is None:
                raise UnknownProduct(product_id)
            changed = check_source(replace(before, **changes))
            after = await catalogue_repository.save(transaction, changed, self._clock.now())
            await self._tell(transaction, before, after)
            await self._audit(transaction, actor, "product.changed", before, after)
        return after

    async def _tell(self, transaction: Transaction, before: Product | None, after: Product) -> None:
        if concerns_kinguin(before, after):
            await publish_product_updated(transaction, [after], self._clock.now())

    async def _audit(
        self,
        transaction: Transaction,
        actor: str,
        action: str,
        before: Product | None,
        after: Product,
    ) -> None:
        await audit.record(
            transaction,
            self._clock.now(),
            audit.Entry(
                actor=actor,
                action=action,
                subject=after.id,
                before=_facts(before) if before else None,
                after=_facts(after),
            ),
        )


def _facts(product: Product) -> dict[str, Any]:
    return {
        "title": product.title,
        "retail_price": product.retail_price,
        "currency": product.currency,
        "cost_usd": product.cost_usd,
        "status": product.status,
        "source_type": product.source_type,
        "kinguin_product_id": product.kinguin_product_id,
        "kinguin_offer_id": product.kinguin_offer_id,
        "backorder": product.backorder,
    }
