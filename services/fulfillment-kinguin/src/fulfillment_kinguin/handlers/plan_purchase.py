"""Plan a purchase, or give the line back while buying is switched off."""

from datetime import datetime

from persistence.database import Transaction
from servicekit.jobs import schedule

from fulfillment_kinguin.adapters import purchase_repository
from fulfillment_kinguin.adapters.switch import Switch
from fulfillment_kinguin.domain.line import Line, LineState
from fulfillment_kinguin.domain.purchase import PLACE, Purchase, PurchaseState
from fulfillment_kinguin.handlers.tell_line import tell_line

SWITCHED_OFF = "buying from Kinguin is switched off"


class PlanPurchase:
    """The one place where a purchase begins."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    async def __call__(
        self, transaction: Transaction, line: Line, attempt: int, now: datetime
    ) -> None:
        """Plan it for at once; the line is locked and wanted."""
        if not await self._switch.is_on(transaction):
            await tell_line(transaction, line, LineState.HANDED_BACK, SWITCHED_OFF, now)
            return
        purchase_id = await purchase_repository.add(transaction, line, attempt, now)
        await schedule(transaction, PLACE, purchase_id, now)

    async def may_go_out(self, transaction: Transaction) -> bool:
        """Whether a planned purchase may be placed now."""
        return await self._switch.is_on(transaction)


async def hand_back(transaction: Transaction, purchase: Purchase, now: datetime) -> None:
    """Give a locked line back to orders, if nothing was asked at Kinguin yet."""
    if purchase.state is not PurchaseState.PLANNED:
        return
    await purchase_repository.move(
        transaction, purchase, PurchaseState.HANDED_BACK, now, SWITCHED_OFF, next_attempt_at=None
    )
    await tell_line(transaction, purchase.line, LineState.HANDED_BACK, SWITCHED_OFF, now)
