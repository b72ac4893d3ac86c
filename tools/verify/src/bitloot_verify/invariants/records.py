"""9, 13 and 14: objects fit their rows, histories are paths, changes are on record."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeVar
from uuid import UUID

from fulfillment_kinguin.domain.purchase import STEPS as PURCHASE_STEPS
from fulfillment_kinguin.domain.purchase import PurchaseState
from orders.domain.states import LINE_STEPS, LineStatus

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

S = TypeVar("S", bound=StrEnum)

_READABLE: Final = frozenset({"stored", "mailed", "mail_failed"})


def every_object_fits(reading: Reading) -> Iterator[Finding]:
    """9. Every readable delivery has its object, and every object its row."""
    if reading.objects is None:
        return
    named = {named.object_key for named in reading.all(rows.NamedObject)}
    for delivery in reading.all(rows.Delivery):
        if delivery.state in _READABLE and delivery.object_key not in reading.objects:
            yield Finding(f"delivery {delivery.id}", "its object is not in the bucket")
    for object_key in reading.objects - named:
        yield Finding(f"object {object_key}", "no delivery names it")


def histories_are_paths(reading: Reading) -> Iterator[Finding]:
    """13. Every history is a path of the declared graph."""
    steps = ((step.item_id, step.status) for step in reading.all(rows.ItemStep))
    start: Mapping[UUID, str] = dict.fromkeys(reading.by_id(rows.Item), LineStatus.WAITING.value)
    yield from _broken_paths("line", steps, start, _by_word(LINE_STEPS))
    graph = _by_word(PURCHASE_STEPS)
    for step in reading.all(rows.PurchaseStep):
        is_start = step.from_state is None and step.to_state == PurchaseState.PLANNED.value
        if not is_start and step.to_state not in graph.get(step.from_state or "", frozenset()):
            says = f"{step.from_state} does not go to {step.to_state}"
            yield Finding(f"purchase {step.purchase_id}", says)


def _unrecorded_versions(reading: Reading) -> set[int]:
    """Versions of the rollout that it has, or had before a change, and that nobody has set.

    Up to the number of changes they may be those of releases that counted them (decision 22).
    """
    changes = reading.all(rows.RolloutChange)
    recorded = {change.after for change in changes}
    seen = {rollout.version for rollout in reading.all(rows.Rollout)}
    seen |= {change.before for change in changes if change.before is not None}
    return {version for version in seen - recorded if version > len(changes)}


def _by_word(graph: Mapping[S, frozenset[S]]) -> dict[str, frozenset[str]]:
    return {state.value: frozenset(to.value for to in after) for state, after in graph.items()}


def _broken_paths(
    kind: str,
    steps: Iterable[tuple[UUID, str]],
    start: Mapping[UUID, str],
    graph: Mapping[str, frozenset[str]],
) -> Iterator[Finding]:
    now = dict(start)
    for subject, to in steps:
        before = now.get(subject, to)
        if before != to and to not in graph.get(before, frozenset()):
            yield Finding(f"{kind} {subject}", f"{before} does not go to {to}")
        now[subject] = to


def every_change_is_audited(reading: Reading) -> Iterator[Finding]:
    """14. Each reveal, change of the rollout and decision about a key has its audit row."""
    logged = {row.delivery_id: row.number for row in reading.all(rows.Reveals)}
    for delivery in reading.all(rows.Delivery):
        if delivery.reveals_used > logged.get(delivery.id, 0):
            says = f"{delivery.reveals_used} reveals, {logged.get(delivery.id, 0)} on record"
            yield Finding(f"delivery {delivery.id}", says)
        elif delivery.was_revealed and not logged.get(delivery.id):
            yield Finding(f"delivery {delivery.id}", "revealed, but not on record")
    for version in _unrecorded_versions(reading):
        yield Finding("rollout", f"how it came to version {version} is not on record")
    decided = {e.subject for e in reading.all(rows.AuditEntry) if e.action == "bad_key.resolved"}
    for case in reading.all(rows.BadKeyCase):
        if case.state != "open" and str(case.id) not in decided:
            yield Finding(f"case {case.id}", f"{case.state}, but not on record")
