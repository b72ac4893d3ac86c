"""Import many products at once: importing a file again changes nothing.

A row is matched by its id, else by its Kinguin id, else by its title; what matches is
updated, the rest is new. All rows of one call are one transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts import SourceType
from foundation.clock import Clock
from persistence.database import Database, Transaction

from orders.adapters import audit, catalogue_repository
from orders.adapters.publish_product_updated import publish_product_updated
from orders.domain.catalogue import Product, concerns_kinguin


@dataclass(frozen=True, slots=True)
class ImportCounts:
    """What became of the rows that could be read."""

    created: int
    updated: int
    unchanged: int


class ImportProducts:
    """Takes products that were read from a file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __call__(self, rows: Sequence[Product], *, actor: str) -> ImportCounts:
        """Add what is new, change what differs.

        Raises:
            ImportRunning: another import does not end.
        """
        async with self._database.transaction() as transaction:
            await catalogue_repository.serialise_imports(transaction)
            known = await catalogue_repository.find_matching(transaction, rows)
            new, changed = _sort_out(rows, known)
            await catalogue_repository.add(transaction, new)
            now = self._clock.now()
            after = [await catalogue_repository.save(transaction, each, now) for each in changed]
            await self._tell(transaction, known, [*new, *after])
            counts = ImportCounts(len(new), len(changed), len(rows) - len(new) - len(changed))
            await audit.record(
                transaction,
                now,
                audit.Entry(
                    actor=actor,
                    action="products.imported",
                    subject=f"{len(rows)} rows",
                    after={"created": counts.created, "updated": counts.updated},
                ),
            )
        return counts

    async def _tell(
        self, transaction: Transaction, known: Sequence[Product], written: Sequence[Product]
    ) -> None:
        before = {product.id: product for product in known}
        told = [it for it in written if concerns_kinguin(before.get(it.id), it)]
        await publish_product_updated(transaction, told, self._clock.now())


def _sort_out(
    rows: Sequence[Product], known: Sequence[Product]
) -> tuple[list[Product], list[Product]]:
    """The new products and the changed ones; a product that comes twice counts once."""
    shelf = {key: product for product in known for key in _keys(product)}
    new: dict[object, Product] = {}
    changed: dict[object, Product] = {}
    for row in rows:
        match = next((shelf[key] for key in _keys(row) if key in shelf), None)
        product = row if match is None else _in_place_of(match, row)
        if match is None or match.id in new:
            new[product.id] = product
        elif product != match:
            changed[product.id] = product
        shelf |= dict.fromkeys(_keys(product), product)
    return list(new.values()), list(changed.values())


def _in_place_of(match: Product, row: Product) -> Product:
    """The row with what no file says."""
    return replace(
        row,
        id=match.id,
        free_stock=match.free_stock,
        version=match.version,
        offer=match.offer,
    )


def _keys(product: Product) -> tuple[object, ...]:
    """What a product is recognised by, best first."""
    if product.source_type is SourceType.KINGUIN:
        return (product.id, ("kinguin", product.kinguin_product_id))
    return (product.id, ("title", product.title))
