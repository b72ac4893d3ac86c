"""What an order's status and the keys it has brought mean for its purchase."""

from enum import StrEnum
from typing import assert_never

from fulfillment_kinguin.domain.supply import OrderStatus


class Verdict(StrEnum):
    """What to do about an order."""

    COMPLETE = "all keys are here"
    WAIT = "look again later"
    BUY_AGAIN = "it ended without keys"
    BROKEN = "it was canceled half filled"
    TOO_MANY_KEYS = "more keys came than were ordered"
    REFUNDED_WITH_KEYS = "the money came back although keys had come"


def judge_order(status: OrderStatus, keys: int, ordered: int) -> Verdict:
    """Decide by the number of distinct keys; only `completed` makes a full set good.

    Keys of a refunded order are Kinguin's again: they are neither delivered nor put in stock.
    """
    if keys > ordered:
        return Verdict.TOO_MANY_KEYS
    match status:
        case OrderStatus.PROCESSING:
            return Verdict.WAIT
        case OrderStatus.COMPLETED:
            return Verdict.COMPLETE if keys == ordered else Verdict.WAIT
        case OrderStatus.CANCELED:
            return Verdict.BROKEN if keys else Verdict.BUY_AGAIN
        case OrderStatus.REFUNDED:
            return Verdict.REFUNDED_WITH_KEYS if keys else Verdict.BUY_AGAIN
        case _:
            assert_never(status)
