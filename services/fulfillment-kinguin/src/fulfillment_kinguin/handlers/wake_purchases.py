"""What purchases waited for has come: try them now."""

from datetime import datetime

from persistence.database import Transaction
from servicekit.jobs import schedule

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.domain.purchase import PLACE, SEARCH, PurchaseState
from fulfillment_kinguin.domain.waiting import Waiting


async def wake_purchases(transaction: Transaction, waiting: Waiting, now: datetime) -> None:
    """Bring the jobs of all that wait for it forward; each still passes every guard."""
    for purchase_id, state in await purchase_repository.waiting_for(transaction, waiting):
        kind = SEARCH if state is PurchaseState.UNKNOWN else PLACE
        await schedule(transaction, kind, purchase_id, now)
