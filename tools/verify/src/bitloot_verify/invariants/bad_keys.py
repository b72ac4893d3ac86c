"""12, the part of bad keys: each is made good once, by another key or by its money."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

_OWED: Final = frozenset({"refund_due", "refunded"})


def bad_keys_are_made_good_once(reading: Reading) -> Iterator[Finding]:
    """A decision is what the lines say: one that replaces, or the money, and never both."""
    yield from _decisions(reading)
    yield from _replacing_lines(reading)


def _decisions(reading: Reading) -> Iterator[Finding]:
    items = reading.by_id(rows.Item)
    replacing = Counter(item.replaces for item in reading.all(rows.Item) if item.replaces)
    for case in reading.all(rows.BadKeyCase):
        item, number = items.get(case.item_id), replacing[case.item_id]
        if item is None:
            continue
        if number != (1 if case.state == "replaced" else 0):
            yield Finding(f"line {item.id}", f"its bad key is {case.state}, by {number} lines")
        if case.state == "replaced" and item.status in _OWED:
            yield Finding(f"line {item.id}", "its bad key was replaced, and it is owed back")
        if case.state == "refunded" and item.status not in _OWED:
            yield Finding(f"line {item.id}", f"its bad key is refunded, but it is {item.status}")


def _replacing_lines(reading: Reading) -> Iterator[Finding]:
    reported = {case.item_id for case in reading.all(rows.BadKeyCase)}
    for item in reading.all(rows.Item):
        if item.replaces is None:
            continue
        if item.replaces not in reported:
            yield Finding(f"line {item.id}", f"replaces {item.replaces}, which nobody reported")
        if item.unit_price != 0:
            yield Finding(f"line {item.id}", f"replaces {item.replaces}, and costs")
