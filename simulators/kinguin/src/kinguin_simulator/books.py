"""The account's balance and the offers' stock, both derived from the orders."""

from collections import Counter
from decimal import Decimal

from kinguin_simulator.catalogue import Offer
from kinguin_simulator.order import Booking, Order, booking_of


class Books:
    """Keeps the sum of all bookings, so that nothing has to be stored or recounted."""

    def __init__(self, opening_balance: Decimal) -> None:
        self._opening_balance = opening_balance
        self._granted = opening_balance
        self._spent = Decimal(0)
        self._taken: Counter[str] = Counter()
        self._bookings: dict[str, Booking] = {}

    def book(self, order: Order) -> None:
        """Take what `order` costs now instead of what it cost before."""
        before = self._bookings.get(order.order_id, Booking())
        after = booking_of(order)
        self._spent += after.spent - before.spent
        self._taken.subtract(before.taken)
        self._taken.update(after.taken)
        self._bookings[order.order_id] = after

    @property
    def balance(self) -> Decimal:
        """EUR that orders can still cost."""
        return self._granted - self._spent

    def set_balance(self, balance: Decimal | None) -> None:
        """From now on `balance` EUR are left; None: what the orders left of the opening one."""
        self._granted = self._opening_balance if balance is None else balance + self._spent

    def left(self, offer: Offer) -> int:
        """Keys of `offer` that can still be sold."""
        return offer.stock - self._taken[offer.offer_id]
