"""What a key costs at Kinguin: kept beside the catalogue, never in place of a typed cost."""

from contracts import OfferUpdated
from persistence.database import Transaction

from orders.adapters import offer_repository


class ApplyOfferUpdated:
    """Keeps what was seen last of each offer."""

    async def __call__(self, transaction: Transaction, message: OfferUpdated) -> None:
        """Remember it; products find it by their ids of Kinguin's."""
        await offer_repository.keep(transaction, message)
