"""Mails: one an order when all its lines are stored, or 60 s after the first for what is there.

What a mail carries is frozen in a transaction before it is sent. A mail that cannot be
sent flags the order and does not hide the keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Final
from uuid import UUID

import structlog
from contracts import DeliveryState, EmailRequested
from foundation.clock import Clock, new_id
from foundation.crash import crash_point
from foundation.log_ids import add_log_ids
from foundation.sealing import CannotOpen, UnknownRecipientKey
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle, schedule

from delivery.adapters import delivery_repository, mail_repository
from delivery.adapters.mail_writer import MailWriter
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import MAIL_WAIT, Delivery, State
from delivery.domain.mail import KEYS, MAIL_LIFE, KeyLink, Mail, MailState
from delivery.errors import MailDeferred, MailRefused
from delivery.ports import MailSender

MAIL: Final = "mail"

_log = structlog.get_logger()


async def plan_key_mail(transaction: Transaction, stored: Delivery, now: datetime) -> None:
    """Let the order's mail go out: now when nothing is missing, else after a while."""
    siblings = await delivery_repository.of_order(transaction, stored.order_id)
    done = [delivery for delivery in siblings if delivery.state is not State.RECEIVED]
    is_whole = len(done) >= stored.lines_in_order
    await schedule(transaction, MAIL, stored.order_id, now if is_whole else now + MAIL_WAIT)


class RequestMail:
    """Any other mail: frozen as it came, sealed."""

    def __init__(self, clock: Clock, mail_from: str) -> None:
        self._clock = clock
        self._mail_from = mail_from

    async def __call__(self, transaction: Transaction, message: EmailRequested) -> None:
        """Plan it."""
        mail = Mail(
            id=new_id(),
            about=message.subject_key,
            kind=message.kind,
            message_id=message_id(f"{message.kind}.{message.subject_key}", self._mail_from),
            dated_at=message.occurred_at,
            recipient=message.to,
            body=message.body,
        )
        await mail_repository.add(transaction, mail)
        await schedule(transaction, MAIL, mail.about, self._clock.now())


def message_id(name: str, mail_from: str) -> str:
    """A stable Message-ID on the sender's domain."""
    _, at, domain = parseaddr(mail_from)[1].rpartition("@")
    return f"<{name}@{domain if at else 'localhost'}>"


@dataclass(frozen=True, slots=True)
class _Ended:
    mail: Mail
    state: MailState
    answer: str | None = None


class SendMails:
    """The job `mail`; its subject is what the mails are about."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        writer: MailWriter,
        sender: MailSender,
        *,
        mail_from: str,
        reveals: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._writer = writer
        self._sender = sender
        self._mail_from = mail_from
        self._reveals = reveals

    async def __call__(self, job: Job) -> Settle:
        """Freeze what is to be said, and send it.

        Raises:
            MailDeferred: the server does not take it now; the same mail is sent again.
        """
        async with self._database.transaction() as transaction:
            await self._freeze_new_lines(transaction, job.subject)
            planned = await mail_repository.planned(transaction, job.subject)
        if planned:
            crash_point("delivery.before_mail")
        ended = [await self._send(mail) for mail in planned[:1]]
        if ended:
            crash_point("delivery.after_mail")

        async def settle(transaction: Transaction) -> datetime | None:
            for item in ended:
                await self._record(transaction, item)
            return self._clock.now() if len(planned) > len(ended) else None

        return settle

    async def _send(self, mail: Mail) -> _Ended:
        try:
            await self._sender.send(self._writer.write(mail))
        except MailRefused as error:
            return _Ended(mail, MailState.FAILED, str(error))
        except MailDeferred as error:
            if self._clock.now() < mail.dated_at + MAIL_LIFE:
                raise
            return _Ended(mail, MailState.FAILED, f"not taken for long: {error}")
        except (CannotOpen, UnknownRecipientKey, ValueError, KeyError) as error:
            return _Ended(mail, MailState.FAILED, f"cannot be written: {type(error).__name__}")
        return _Ended(mail, MailState.SENT)

    async def _freeze_new_lines(self, transaction: Transaction, about: str) -> None:
        deliveries = await delivery_repository.of_order(transaction, _order_id(about))
        add_log_ids(order_id=deliveries[0].order_id if deliveries else None)
        carried = await mail_repository.linked_deliveries(transaction, about)
        fresh = [
            delivery
            for delivery in deliveries
            if delivery.state is State.STORED
            and (delivery.id, delivery.link_version) not in carried
        ]
        if fresh:
            await freeze_key_mail(transaction, fresh, self._clock.now(), self._mail_from)

    async def _record(self, transaction: Transaction, ended: _Ended) -> None:
        now = self._clock.now()
        if not await mail_repository.end(transaction, ended.mail, ended.state, now, ended.answer):
            return
        if ended.state is MailState.FAILED:
            _log.error("mail.failed", mail_id=str(ended.mail.id), reason=ended.answer)
        for link in ended.mail.links:
            delivery = await delivery_repository.get(transaction, link.delivery_id)
            if delivery is not None:
                await self._tell_orders(transaction, delivery, ended, now)

    async def _tell_orders(
        self, transaction: Transaction, delivery: Delivery, ended: _Ended, now: datetime
    ) -> None:
        if ended.state is MailState.SENT:
            delivery.mailed_at = delivery.mailed_at or now
            delivery.move(State.MAILED)
        else:
            delivery.move(State.MAIL_FAILED)
        if delivery.state is State.VOIDED:
            return
        news = DeliveryState.MAILED if ended.state is MailState.SENT else DeliveryState.MAIL_FAILED
        await publish_delivery_updated(
            transaction, delivery, now, reveals=self._reveals, state=news, reason=ended.answer
        )


async def freeze_key_mail(
    transaction: Transaction, deliveries: Sequence[Delivery], now: datetime, mail_from: str
) -> None:
    """Write down which links one mail carries; all deliveries are of one order."""
    mail_id = new_id()
    await mail_repository.add(
        transaction,
        Mail(
            id=mail_id,
            about=str(deliveries[0].order_id),
            kind=KEYS,
            message_id=message_id(f"{KEYS}.{mail_id}", mail_from),
            dated_at=now,
            recipient=deliveries[0].buyer,
            links=[KeyLink(d.id, d.link_version, d.title, len(d.fingerprints)) for d in deliveries],
        ),
    )


def _order_id(about: str) -> UUID:
    """The order a mail is about; other mails are about something no order has."""
    try:
        return UUID(about)
    except ValueError:
        return UUID(int=0)
