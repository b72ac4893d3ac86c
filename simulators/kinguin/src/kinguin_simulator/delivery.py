"""How an order comes by its keys: a pure look at faults, clock and number of polls.

Keys arrive one by one on the way to ready, so that buyers meet half-filled
orders. Pre-orders get nothing before their release date.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

from kinguin_simulator.faults import Faults
from kinguin_simulator.key_maker import key_picture, key_text
from kinguin_simulator.order import Key, KeyStatus, Order, OrderStatus


def progress(order: Order, faults: Faults, now: datetime, delay: timedelta) -> float:
    """How far the order is, 0 to 1."""
    if faults.stuck or _is_unreleased(order, now):
        return 0.0
    if faults.polls_until_ready is not None:
        return min(1.0, order.polls / faults.polls_until_ready) if faults.polls_until_ready else 1.0
    return min(1.0, (now - order.created_at) / delay) if delay else 1.0


def _is_unreleased(order: Order, now: datetime) -> bool:
    return any(line.is_preorder and line.release_date > now.date() for line in order.lines)


def fill(order: Order, count: int, make_key: Callable[[], Key]) -> None:
    """Add keys, line by line, until the order has `count`."""
    missing = count - len(order.keys)
    for line in order.lines:
        added = max(0, min(missing, line.quantity - len(line.keys)))
        line.keys.extend(make_key() for _ in range(added))
        missing -= added


def close(order: Order, faults: Faults, now: datetime) -> None:
    """End the processing of an order whose time has come."""
    order.status = OrderStatus.CANCELED if faults.cancel else OrderStatus.COMPLETED
    order.delivered_at = now


def give_back(order: Order) -> None:
    """Refund an order: its keys go back."""
    returned = KeyStatus.RETURNED if order.return_requested else KeyStatus.REFUNDED
    for key in order.keys:
        key.status = returned
    order.status = OrderStatus.REFUNDED


def new_key(dice: random.Random, key_id: str, *, as_picture: bool) -> Key:
    """A fresh key, as text or as a picture of it."""
    text = key_text(dice)
    if as_picture:
        return Key(id=key_id, serial=key_picture(text), type="image/png")
    return Key(id=key_id, serial=text, type="text/plain")
