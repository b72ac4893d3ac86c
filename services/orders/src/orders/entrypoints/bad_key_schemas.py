"""The JSON of bad keys: for the buyer in plain words, for admins with who and why."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, StringConstraints

from orders.domain.bad_key import BadKeyCase, CaseAction, CaseState, looks_like_key, report_until
from orders.domain.bad_key_texts import case_text
from orders.domain.order import Order
from orders.entrypoints.schemas import STORABLE, In


def _without_key(text: str) -> str:
    if looks_like_key(text):
        raise ValueError("seems to hold a key: please leave it out, we know which one it is")
    return text


Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=STORABLE),
    AfterValidator(_without_key),
]


class ReportIn(In):
    """What is wrong with the key."""

    reason: Reason


class CaseOut(BaseModel):
    """A reported key as its buyer sees it."""

    id: UUID
    item_id: UUID
    state: CaseState
    text: str
    opened_at: datetime
    resolved_at: datetime | None

    @classmethod
    def of(cls, case: BadKeyCase) -> Self:
        """The buyer's view."""
        return cls(
            id=case.id,
            item_id=case.line_id,
            state=case.state,
            text=case_text(case),
            opened_at=case.opened_at,
            resolved_at=case.resolved_at,
        )


class KeyItemOut(BaseModel):
    """An item whose key can be reported until then, or was."""

    item_id: UUID
    title: str
    report_until: datetime | None
    case: CaseOut | None


class BadKeysOut(BaseModel):
    """What of an order can be reported, and what was."""

    items: list[KeyItemOut]


class ResolveIn(In):
    """What a person decides; the buyer reads the reason of a rejection."""

    action: CaseAction
    reason: Reason
    supplier_reference: (
        Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9 ._:/#-]{1,100}$")] | None
    ) = None


class AdminCaseOut(BaseModel):
    """A case as admins see it."""

    id: UUID
    order_id: UUID
    item_id: UUID
    reason: str
    opened_at: datetime
    return_until: datetime | None
    due_at: datetime
    state: CaseState
    actor: str | None
    resolution: str | None
    supplier_reference: str | None
    resolved_at: datetime | None

    @classmethod
    def of(cls, case: BadKeyCase) -> Self:
        """The admin view."""
        return cls(
            id=case.id,
            order_id=case.order_id,
            item_id=case.line_id,
            reason=case.reason,
            opened_at=case.opened_at,
            return_until=case.return_until,
            due_at=case.due_at,
            state=case.state,
            actor=case.actor,
            resolution=case.resolution,
            supplier_reference=case.supplier_reference,
            resolved_at=case.resolved_at,
        )


def bad_keys(
    order: Order, cases: Sequence[BadKeyCase], now: datetime, limit: timedelta
) -> BadKeysOut:
    """Items with a key that can still be reported, and those whose key was."""
    return BadKeysOut(items=list(_items(order, cases, now, limit)))


def _items(
    order: Order, cases: Sequence[BadKeyCase], now: datetime, limit: timedelta
) -> Iterator[KeyItemOut]:
    by_line = {case.line_id: case for case in cases}
    for line in order.lines:
        case, until = by_line.get(line.id), report_until(order, line, limit)
        can_report = case is None and until is not None and now < until
        if case is not None or can_report:
            yield KeyItemOut(
                item_id=line.id,
                title=line.title,
                report_until=until if can_report else None,
                case=CaseOut.of(case) if case else None,
            )
