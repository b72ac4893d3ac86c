"""What Kinguin's offers cost, by the ids that the catalogue knows them by."""

from contracts import OfferUpdated
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from orders.adapters.tables import kinguin_offers

NO_OFFER = ""
"""Stands for no preferred offer: a part of the key may not be null."""


async def keep(transaction: Transaction, message: OfferUpdated) -> None:
    """Remember what an offer costs; what was seen earlier changes nothing."""
    values = {
        "price_eur": message.price.amount if message.price else None,
        "cost_usd": message.cost_usd,
        "quantity": message.quantity,
        "seen_at": message.seen_at,
    }
    key = [kinguin_offers.c.kinguin_product_id, kinguin_offers.c.kinguin_offer_id]
    row = insert(kinguin_offers).values(
        kinguin_product_id=message.kinguin_product_id,
        kinguin_offer_id=message.kinguin_offer_id or NO_OFFER,
        **values,
    )
    await transaction.execute(
        row.on_conflict_do_update(
            index_elements=key, set_=values, where=kinguin_offers.c.seen_at < message.seen_at
        )
    )
