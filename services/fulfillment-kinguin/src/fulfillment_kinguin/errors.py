"""What can go wrong in fulfillment-kinguin.

FulfillmentKinguinError
├── UnknownPurchase
├── RateNotHeard               the source of exchange rates gave none that can be used
├── ActionRefused              an admin action that does not fit the purchase's state
└── SupplierError
    ├── NothingBought          Kinguin said so: the order does not exist
    │   ├── Refused            and never will as it stands
    │   │   ├── ProductUnavailable
    │   │   └── PriceAboveLimit
    │   └── NotNow             but may later, when a person has acted
    │       ├── InsufficientBalance
    │       ├── Unauthorized
    │       └── OwnGuard           not Kinguin says so, but we
    │           ├── SpendCapReached    enough was spent for now
    │           ├── SupplierBroken     it failed too often in a row
    │           ├── RateTooOld         nobody knows what a euro costs today
    │           ├── BalanceTooLow      the account is known not to be able to pay it
    │           └── SwitchedOff        orders has switched buying off
    ├── ReturnRefused          the keys are not taken back
    ├── NotFound               no such order or product
    ├── NotSupported           this dialect has no such call
    ├── UnreadableKey          a delivered key is not what it says it is
    └── Unclear                nobody knows whether the work was done
        ├── DuplicateExternalId
        └── UnreadableAnswer
"""

from typing import ClassVar
from uuid import UUID

from fulfillment_kinguin.domain.waiting import Waiting


class FulfillmentKinguinError(Exception):
    """Base of everything fulfillment-kinguin raises itself."""


class UnknownPurchase(FulfillmentKinguinError):
    """There is no such purchase."""

    def __init__(self, purchase_id: UUID) -> None:
        self.purchase_id = purchase_id
        super().__init__(f"no purchase {purchase_id}")


class RateNotHeard(FulfillmentKinguinError):
    """The source of exchange rates is away, or says something that cannot be right."""


class ActionRefused(FulfillmentKinguinError):
    """The action does not fit the state the purchase is in; nothing was changed."""


class SupplierError(FulfillmentKinguinError):
    """A call to the supplier had no success; `retry_after_s` is what it asked for, in seconds."""

    def __init__(self, reason: str, *, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(reason)


class NothingBought(SupplierError):
    """A definite refusal: no order exists and no money was spent."""


class Refused(NothingBought):
    """The order can never be placed as it stands."""


class ProductUnavailable(Refused):
    """No offer fits the product, quantity and price."""


class PriceAboveLimit(Refused):
    """It costs more than the line may cost."""


class NotNow(NothingBought):
    """The order can be placed once a person has acted, or time has passed."""

    waits_for: ClassVar[Waiting]


class InsufficientBalance(NotNow):
    """The account cannot pay it."""

    waits_for = Waiting.BALANCE


class Unauthorized(NotNow):
    """The API key is not accepted."""

    waits_for = Waiting.CREDENTIALS


class OwnGuard(NotNow):
    """Not the supplier says so, but a guard of ours; nothing was asked."""


class SpendCapReached(OwnGuard):
    """Buying it would pass the cap of an hour or a day."""

    waits_for = Waiting.SPEND_CAP


class SupplierBroken(OwnGuard):
    """The supplier failed too often in a row: nobody is asked for a while."""

    waits_for = Waiting.SUPPLIER


class RateTooOld(OwnGuard):
    """No exchange rate is young enough to compare a price by."""

    waits_for = Waiting.RATE


class BalanceTooLow(OwnGuard):
    """The balance that Kinguin told last cannot pay it."""

    waits_for = Waiting.BALANCE


class SwitchedOff(OwnGuard):
    """Nothing may be bought; what Kinguin was never asked for goes back to orders."""

    waits_for = Waiting.SWITCH


class ReturnRefused(SupplierError):
    """The keys of an order are not taken back (any more)."""


class NotFound(SupplierError):
    """There is no such order or product."""


class NotSupported(SupplierError):
    """This dialect of the API has no such call."""


class UnreadableKey(SupplierError):
    """A delivered key is not base64, or not the kind of picture it says it is."""


class Unclear(SupplierError):
    """Timeout, lost connection, 5xx, 429: the work may have been done or not."""


class DuplicateExternalId(Unclear):
    """The external id was used before: an order exists that we did not hear of."""


class UnreadableAnswer(Unclear):
    """The answer is too large, no JSON, or not of the agreed form."""
