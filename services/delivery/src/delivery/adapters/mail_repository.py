"""Mails in PostgreSQL: recipients and bodies stay sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from contracts import Sealed
from persistence.database import Transaction
from persistence.measures import measure
from sqlalchemy.dialects.postgresql import insert

from delivery.adapters.metrics import MAILS
from delivery.adapters.tables import mails
from delivery.domain.mail import KeyLink, Mail, MailState


async def add(transaction: Transaction, mail: Mail) -> None:
    """Freeze a mail; the same Message-ID a second time changes nothing."""
    await transaction.execute(
        insert(mails)
        .values(
            id=mail.id,
            about=mail.about,
            kind=mail.kind,
            message_id=mail.message_id,
            dated_at=mail.dated_at,
            recipient=mail.recipient.model_dump(mode="json"),
            links=[_link_row(link) for link in mail.links],
            body=mail.body.model_dump(mode="json") if mail.body else None,
            state=MailState.PLANNED,
        )
        .on_conflict_do_nothing()
    )


async def planned(transaction: Transaction, about: str) -> Sequence[Mail]:
    """Mails that have not ended yet, oldest first."""
    rows = await transaction.execute(
        sa.select(mails)
        .where(mails.c.about == about, mails.c.state == MailState.PLANNED)
        .order_by(mails.c.id)
    )
    return [_mail(row) for row in rows]


async def linked_deliveries(transaction: Transaction, about: str) -> set[tuple[UUID, int]]:
    """Every delivery and link version that some mail carries, ended or not."""
    rows = await transaction.scalars(sa.select(mails.c.links).where(mails.c.about == about))
    return {
        (UUID(link["delivery_id"]), link["link_version"]) for links in rows for link in links or ()
    }


async def end(
    transaction: Transaction, mail: Mail, state: MailState, now: datetime, answer: str | None
) -> bool:
    """Record how a planned mail ended; False when it had ended before."""
    ended = await transaction.execute(
        sa.update(mails)
        .where(mails.c.id == mail.id, mails.c.state == MailState.PLANNED)
        .values(state=state, ended_at=now, answer=answer)
    )
    if ended.rowcount:
        measure(transaction, MAILS, result=state)
    return ended.rowcount == 1


async def count_since(transaction: Transaction, about: str, since: datetime) -> int:
    """How many mails were made about something since a time."""
    found = await transaction.scalar(
        sa.select(sa.func.count())
        .select_from(mails)
        .where(mails.c.about == about, mails.c.dated_at >= since)
    )
    return int(found or 0)


def _link_row(link: KeyLink) -> dict[str, Any]:
    return {
        "delivery_id": str(link.delivery_id),
        "link_version": link.link_version,
        "title": link.title,
        "quantity": link.quantity,
    }


def _mail(row: sa.Row[Any]) -> Mail:
    return Mail(
        id=row.id,
        about=row.about,
        kind=row.kind,
        message_id=row.message_id,
        dated_at=row.dated_at,
        recipient=Sealed.model_validate(row.recipient),
        links=[_link(link) for link in row.links or ()],
        body=Sealed.model_validate(row.body) if row.body else None,
    )


def _link(row: dict[str, Any]) -> KeyLink:
    return KeyLink(UUID(row["delivery_id"]), row["link_version"], row["title"], row["quantity"])
