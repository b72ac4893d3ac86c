"""Every order Kinguin ever accepted, whatever its buyer was told.

The ledger is the truth that tests compare the shop with. Its own lock makes
each method atomic; each change is in the journal before the method returns.
"""

import random
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from kinguin_simulator.basket import Wanted, choose_lines
from kinguin_simulator.books import Books
from kinguin_simulator.catalogue import Offer
from kinguin_simulator.delivery import close, fill, give_back, new_key, progress
from kinguin_simulator.errors import (
    ConstraintViolation,
    InsufficientBalance,
    NoKeysToReturn,
    OrderNotFound,
)
from kinguin_simulator.faults import FaultPanel
from kinguin_simulator.journal import Journal
from kinguin_simulator.order import Key, Order, OrderStatus

ORDER_ID_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
ORDER_ID_LENGTH = 11
RETURN_WINDOW = timedelta(hours=24)
DUPLICATE_STATUS = 422


class Ledger:
    """Orders by id; `on_status` hears of each status after the first."""

    def __init__(
        self,
        journal: Journal,
        books: Books,
        panel: FaultPanel,
        now: Callable[[], datetime],
        dice: random.Random,
        *,
        delivery_delay: timedelta,
        on_status: Callable[[Order], None],
    ) -> None:
        self._journal = journal
        self._books = books
        self._panel = panel
        self._now = now
        self._dice = dice
        self._delivery_delay = delivery_delay
        self._on_status = on_status
        self._lock = threading.RLock()
        self._orders: dict[str, Order] = {}
        self._order_ids_by_external_id: dict[str, list[str]] = {}
        self._moving: set[str] = set()
        self._serials: set[str] = set()

    def restore(self) -> None:
        """Read the journal back and start a fresh, compact one.

        Raises:
            StateUnreadable: the state file is no ledger.
            OSError: it cannot be read or written.
        """
        with self._lock:
            for _, record in self._journal.load():
                self._remember(Order.model_validate(record))
            self._journal.start(
                [("order", order.model_dump_json()) for order in self._orders.values()]
            )

    def place(self, basket: Sequence[Wanted], external_id: str | None) -> Order:
        """Accept an order, paid from the balance.

        Raises:
            ConstraintViolation: 422 for an external id that was used before, else 400.
            PreorderRefused: see `choose_lines`.
            ProductUnavailable: see `choose_lines`.
            InsufficientBalance: the account cannot pay it.
        """
        with self._lock:
            self._check_external_id(external_id)
            now = self._now()
            order = Order(
                order_id=self._fresh_order_id(),
                external_id=external_id,
                created_at=now,
                updated_at=now,
                lines=choose_lines(basket, self._books.left, self._panel.current.price_factor),
            )
            if order.price_charged > self._books.balance:
                raise InsufficientBalance
            self._keep(order)
            return order

    def order(self, order_id: str) -> Order:
        """One order, without this counting as a poll.

        Raises:
            OrderNotFound: there is none of this id.
        """
        order = self._orders.get(order_id)
        if order is None:
            raise OrderNotFound(order_id)
        return order

    def poll(self, order_id: str) -> Order:
        """One order as its buyer looks at it, which may be what makes it ready.

        Raises:
            OrderNotFound: there is none of this id.
        """
        with self._lock:
            order = self.order(order_id)
            if order.status is OrderStatus.PROCESSING:
                order.polls += 1
            self._advance(order)
            return order

    def deliver_due(self) -> None:
        """Move every order whose time has come; called again and again by a clock."""
        with self._lock:
            for order_id in list(self._moving):
                self._advance(self._orders[order_id])

    def request_return(self, order_id: str) -> list[Key]:
        """Ask to return an order's keys, once; answers with the keys as they are now.

        Raises:
            OrderNotFound: there is none of this id.
            NoKeysToReturn: nothing to return, too late, not allowed, or asked before.
        """
        with self._lock:
            order = self.order(order_id)
            self._check_returnable(order)
            keys = [key.model_copy() for key in order.keys]
            order.return_requested = True
            self._keep(order)
            return keys

    def by_external_id(self, external_id: str) -> list[Order]:
        """Orders with this external id, newest first."""
        with self._lock:
            ids = self._order_ids_by_external_id.get(external_id, [])
            return [self._orders[order_id] for order_id in reversed(ids)]

    def all_orders(self) -> list[Order]:
        """Every order, oldest first."""
        with self._lock:
            return list(self._orders.values())

    def left(self, offer: Offer) -> int:
        """Keys of an offer that can still be sold."""
        return self._books.left(offer)

    @property
    def balance(self) -> Decimal:
        """EUR that orders can still cost."""
        return self._books.balance

    def set_balance(self, balance: Decimal | None) -> None:
        """Override the balance from now on; None ends that."""
        with self._lock:
            self._books.set_balance(balance)

    def close(self) -> None:
        """Give the state file back."""
        self._journal.close()

    def _check_external_id(self, external_id: str | None) -> None:
        used = external_id in self._order_ids_by_external_id
        if used and self._panel.current.refuse_duplicates:
            detail = 'Invalid "orderExternalId" property. orderExternalId already used'
            raise ConstraintViolation("orderExternalId", detail, external_id, DUPLICATE_STATUS)

    def _check_returnable(self, order: Order) -> None:
        if self._panel.current.refuse_return:
            raise NoKeysToReturn("The keys were claimed")
        if order.return_requested:
            raise NoKeysToReturn("A return was already requested for this order")
        if order.is_preorder or any(line.is_wholesale for line in order.lines):
            raise NoKeysToReturn("Keys of pre-orders and wholesale items cannot be returned")
        if order.status not in {OrderStatus.PROCESSING, OrderStatus.COMPLETED}:
            raise NoKeysToReturn("There are no keys to return")
        if order.delivered_at and self._now() - order.delivered_at > RETURN_WINDOW:
            raise NoKeysToReturn("Keys can be returned within 24 hours of their delivery")

    def _advance(self, order: Order) -> None:
        before = order.status, len(order.keys)
        faults, now = self._panel.current, self._now()
        if order.status is OrderStatus.PROCESSING:
            done = progress(order, faults, now, self._delivery_delay)
            fill(order, int(faults.keys_to_deliver(order.quantity) * done), self._new_key)
            if done >= 1:
                close(order, faults, now)
        elif order.status is OrderStatus.COMPLETED and self._goes_back(order):
            give_back(order)
        if (order.status, len(order.keys)) != before:
            order.updated_at = now
            self._keep(order)
        if order.status is not before[0]:
            self._on_status(order)

    def _goes_back(self, order: Order) -> bool:
        return order.return_requested or self._panel.current.refund

    def _keep(self, order: Order) -> None:
        self._remember(order)
        self._journal.append("order", order.model_dump_json())

    def _remember(self, order: Order) -> None:
        if order.order_id not in self._orders and order.external_id is not None:
            ids = self._order_ids_by_external_id.setdefault(order.external_id, [])
            ids.append(order.order_id)
        self._orders[order.order_id] = order
        self._books.book(order)
        self._serials.update(key.serial for key in order.keys)
        moves_on = order.status is OrderStatus.COMPLETED and self._goes_back(order)
        if order.status is OrderStatus.PROCESSING or moves_on:
            self._moving.add(order.order_id)
        else:
            self._moving.discard(order.order_id)

    def _new_key(self) -> Key:
        if self._serials and self._panel.current.repeats_key():
            return self._sold_again()
        while True:
            key_id = self._fresh_key_id()
            key = new_key(self._dice, key_id, as_picture=self._panel.current.image_keys)
            if key.serial not in self._serials:
                self._serials.add(key.serial)
                return key

    def _sold_again(self) -> Key:
        sold = [key for order in self._orders.values() for key in order.keys]
        first = self._dice.choice(sold)
        return Key(id=self._fresh_key_id(), serial=first.serial, type=first.type)

    def _fresh_key_id(self) -> str:
        return f"{self._dice.getrandbits(96):024x}"

    def _fresh_order_id(self) -> str:
        while True:
            candidate = "".join(self._dice.choices(ORDER_ID_LETTERS, k=ORDER_ID_LENGTH))
            if candidate not in self._orders:
                return candidate
