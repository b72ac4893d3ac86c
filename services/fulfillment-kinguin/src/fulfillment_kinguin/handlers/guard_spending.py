"""The guards, in the transaction that commits `placing`, and what answers teach them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import structlog
from persistence.database import Transaction

from fulfillment_kinguin.adapters import guard_repository
from fulfillment_kinguin.adapters.guard_repository import committed_since
from fulfillment_kinguin.adapters.switch import Switch
from fulfillment_kinguin.domain.guards import DAY, HOUR, Breaker, SpendCaps
from fulfillment_kinguin.domain.line import Line
from fulfillment_kinguin.domain.purchase import Purchase
from fulfillment_kinguin.errors import SwitchedOff
from fulfillment_kinguin.handlers.quote_price import Quote

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a purchase may cost, and the rate by which its limit was compared."""

    euros: Decimal
    eur_usd_rate: Decimal


class GuardSpending:
    """Lets a purchase through, or says until when it waits."""

    def __init__(self, caps: SpendCaps, switch: Switch) -> None:
        self._caps = caps
        self._switch = switch

    async def hold_switch(self, transaction: Transaction) -> None:
        """Keep buying switched on until the transaction ends; called before a line is locked.

        Raises:
            SwitchedOff: it is off; nothing may be bought, again or for the first time.
        """
        if not await self._switch.hold(transaction):
            raise SwitchedOff("buying from Kinguin is switched off")

    async def commit(
        self, transaction: Transaction, purchase: Purchase, quote: Quote, now: datetime
    ) -> Commitment:
        """Take the right to spend; the row stays locked until the transaction ends.

        Raises:
            SupplierBroken, SpendCapReached, BalanceTooLow: not now; nothing was committed.
        """
        breaker = await guard_repository.lock(transaction)
        half_open = breaker.let_one_try(now)
        euros = _price(purchase.line, quote) * purchase.line.quantity
        self._caps.check(
            euros,
            last_hour=await committed_since(transaction, now - HOUR, besides=purchase.id),
            last_day=await committed_since(transaction, now - DAY, besides=purchase.id),
        )
        known = await guard_repository.balance(transaction, besides=purchase.id)
        if known is not None:
            known.check(euros, now)
        if half_open != breaker:
            await guard_repository.save(transaction, half_open)
        return Commitment(euros, quote.rate.usd_per_eur)

    async def failed(self, transaction: Transaction, now: datetime) -> None:
        """The supplier gave no usable answer."""
        before = await guard_repository.lock(transaction)
        after = before.after_failure(now)
        await guard_repository.save(transaction, after)
        if before.open_until is None and after.open_until is not None:
            _log.error("supplier.breaker_opened", failures=after.failures)

    async def heard_balance(
        self, transaction: Transaction, euros: Decimal, asked_at: datetime
    ) -> bool:
        """Keep what the account holds; whether that is more than was thought."""
        await guard_repository.lock(transaction)
        before = await guard_repository.balance(transaction)
        await guard_repository.save_balance(transaction, euros, asked_at)
        return before is None or euros > before.left

    async def found_empty(self, transaction: Transaction, now: datetime) -> None:
        """Kinguin says that the account cannot pay: nothing more until it is heard anew.

        Where the balance is never told, nothing would end that: Kinguin is simply asked again.
        """
        await guard_repository.lock(transaction)
        if await guard_repository.balance(transaction) is not None:
            await guard_repository.save_balance(transaction, Decimal(0), now)

    async def answered(self, transaction: Transaction) -> None:
        """The supplier answered as it should."""
        if await guard_repository.lock(transaction) != Breaker():
            await guard_repository.save(transaction, Breaker())


def _price(line: Line, quote: Quote) -> Decimal:
    """The price asked; where the dialect tells none, the most the line may cost."""
    if quote.choice.unit_price is not None:
        return quote.choice.unit_price
    limit = line.highest_unit_price
    return limit.amount if limit.currency == "EUR" else limit.amount / quote.rate.usd_per_eur
