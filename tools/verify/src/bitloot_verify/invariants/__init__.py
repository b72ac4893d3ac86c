"""The invariants of design section 9 by their numbers, each a pure function of a reading.

7 (delivering every message again changes nothing) and 8 (no plaintext at rest) cannot be
seen in rows: tests deliver again and search for planted keys.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bitloot_verify.invariants import keys, mails, money, records, unfinished
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

__all__ = ["INVARIANTS", "Finding", "Invariant"]


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule: its number in the design, its name in the metric, and its check."""

    number: int
    name: str
    findings: Callable[[Reading], Iterator[Finding]]


_ALL: Final = (
    Invariant(1, "keys_per_line", keys.keys_per_line),
    Invariant(2, "key_of_one_line", keys.key_of_one_line),
    Invariant(3, "one_purchase_per_line", keys.one_purchase_per_line),
    Invariant(4, "nothing_without_money", money.nothing_without_money),
    Invariant(5, "nothing_forgotten", unfinished.nothing_forgotten),
    Invariant(6, "every_ipn_has_an_effect", money.every_ipn_has_an_effect),
    Invariant(9, "every_object_fits", records.every_object_fits),
    Invariant(10, "a_mail_per_delivery", mails.a_mail_per_delivery),
    Invariant(11, "stock_adds_up", keys.stock_adds_up),
    Invariant(12, "money_adds_up", money.money_adds_up),
    Invariant(13, "histories_are_paths", records.histories_are_paths),
    Invariant(14, "every_change_is_audited", records.every_change_is_audited),
)
INVARIANTS: Final[Mapping[int, Invariant]] = {invariant.number: invariant for invariant in _ALL}
