"""Guards before money is spent: how much in an hour and a day, and when nobody is asked at all.

The state stands in one row that is changed in the transaction that commits `placing`, so all
replicas share it and no two of them spend the same euro.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from fulfillment_kinguin.errors import SpendCapReached, SupplierBroken

FAILURES_TO_OPEN: Final = 5
FAILURE_WINDOW: Final = timedelta(seconds=30)
"""Five failures in 30 s open the breaker (reliability target of the design)."""
OPEN_FOR: Final = timedelta(seconds=30)
"""How long nobody is asked; then one purchase tries, and the others wait as long again."""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row without an answer; `open_until` is None while all is well."""

    failures: int = 0
    first_failure_at: datetime | None = None
    open_until: datetime | None = None

    def let_one_try(self, now: datetime) -> "Breaker":
        """The breaker after this purchase was let through: half open, for one only.

        Raises:
            SupplierBroken: it is open; `retry_after_s` says for how long.
        """
        if self.open_until is None:
            return self
        if now < self.open_until:
            wait_s = (self.open_until - now).total_seconds()
            raise SupplierBroken("too many failures in a row", retry_after_s=wait_s)
        return replace(self, open_until=now + OPEN_FOR)

    def after_failure(self, now: datetime) -> "Breaker":
        """One more call without a usable answer."""
        is_new = self.first_failure_at is None or now - self.first_failure_at > FAILURE_WINDOW
        if is_new and self.open_until is None:
            return Breaker(1, now)
        failures = self.failures + 1
        opens = self.open_until is not None or failures >= FAILURES_TO_OPEN
        return Breaker(failures, self.first_failure_at, now + OPEN_FOR if opens else None)

    def after_success(self) -> "Breaker":
        """It answers: all is well."""
        return Breaker()


@dataclass(frozen=True, slots=True)
class SpendCaps:
    """The most euros that may be committed within any hour and any day."""

    hour_eur: Decimal
    day_eur: Decimal

    def check(self, amount: Decimal, *, last_hour: Decimal, last_day: Decimal) -> None:
        """Let a purchase through that stays within both caps.

        Raises:
            SpendCapReached: it would not; a person or time has to act.
        """
        spans = (("an hour", last_hour, self.hour_eur), ("a day", last_day, self.day_eur))
        for span, spent, cap in spans:
            if spent + amount > cap:
                raise SpendCapReached(f"EUR {amount} more would pass the cap of EUR {cap} {span}")
