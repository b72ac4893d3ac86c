"""A new link for the buyer: the old one is void, count and time start again."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from contracts import DeliveryState
from foundation.clock import Clock
from persistence.database import Database
from servicekit.jobs import schedule
from webkit.tokens import Principal

from delivery.adapters import delivery_repository, mail_repository
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import READABLE
from delivery.errors import NoSuchLink, TooManyTries
from delivery.handlers.reveal_keys import opens
from delivery.handlers.send_mails import MAIL, freeze_key_mail
from delivery.handlers.store_keys import LinkRules

MAILS_A_DAY: Final = 10
"""Of one order: a stolen token must not flood the buyer's mailbox."""


class RenewLink:
    """Goes to the buyer's address only, whoever asks."""

    def __init__(
        self, database: Database, clock: Clock, rules: LinkRules, *, mail_from: str
    ) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self._mail_from = mail_from

    async def __call__(self, delivery_id: UUID, principal: Principal | None) -> None:
        """Make the link and plan its mail.

        Raises:
            NoSuchLink: unknown, not stored, or not this token's.
            TooManyTries: too many mails in a day.
        """
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            known = await delivery_repository.read(transaction, delivery_id)
            if known is None or not opens(principal, known, now):
                raise NoSuchLink
            # The job before the delivery: a mail that is being settled locks in this order.
            await schedule(transaction, MAIL, known.order_id, now)
            delivery = await delivery_repository.get(transaction, delivery_id)
            if delivery is None or delivery.state not in READABLE:
                raise NoSuchLink
            about = str(delivery.order_id)
            since = now - timedelta(days=1)
            if await mail_repository.count_since(transaction, about, since) >= MAILS_A_DAY:
                raise TooManyTries
            delivery.link_version += 1
            delivery.reveals_used = 0
            delivery.expires_at = now + self._rules.lifetime
            await publish_delivery_updated(
                transaction,
                delivery,
                now,
                reveals=self._rules.reveals,
                state=DeliveryState.RENEWED,
            )
            await freeze_key_mail(transaction, [delivery], now, self._mail_from)
