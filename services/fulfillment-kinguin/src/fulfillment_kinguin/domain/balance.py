"""What the account at Kinguin can still spend, as far as it was heard."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from fulfillment_kinguin.errors import BalanceTooLow

BELIEVED_FOR: Final = timedelta(minutes=10)
"""An older figure holds nothing back: Kinguin itself refuses what the account cannot pay."""


@dataclass(frozen=True, slots=True)
class Balance:
    """Euros heard at a moment, less what was committed since."""

    left: Decimal
    heard_at: datetime

    def check(self, euros: Decimal, now: datetime) -> None:
        """Let through what the account can pay.

        Raises:
            BalanceTooLow: it cannot; after a top-up it is tried again.
        """
        if euros > self.left and now - self.heard_at <= BELIEVED_FOR:
            raise BalanceTooLow(f"EUR {euros} is more than the EUR {self.left} in the account")
