"""Store the keys of a line: open, encrypt, write to R2, and say that they are ready.

The envelope is committed before the object is written, so that every retry writes the
same bytes; the sealed keys leave the row only when the object is there.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from foundation.clock import Clock
from foundation.crash import crash_point
from foundation.log_ids import add_log_ids
from foundation.sealing import CannotOpen, KeyRing, UnknownRecipientKey, open_game_key
from persistence.database import Database, Transaction
from servicekit.jobs import Job, Settle

from delivery.adapters import delivery_repository
from delivery.adapters.key_cipher import KeyCipher
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import Delivery, Envelope, State
from delivery.domain.document import pack
from delivery.errors import CannotDecrypt, KeyStoreConflict
from delivery.handlers.send_mails import plan_key_mail
from delivery.ports import KeyStore


@dataclass(frozen=True, slots=True)
class LinkRules:
    """How often and how long one link shows the keys."""

    reveals: int
    lifetime: timedelta


class StoreKeys:
    """The job `store`; its subject is the delivery."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ring: KeyRing,
        cipher: KeyCipher,
        store: KeyStore,
        rules: LinkRules,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ring = ring
        self._cipher = cipher
        self._store = store
        self._rules = rules

    async def __call__(self, job: Job) -> Settle:
        """Write the object.

        Raises:
            KeyStoreUnavailable: R2 does not answer; tried again.
        """
        async with self._database.transaction() as transaction:
            delivery = await delivery_repository.read(transaction, UUID(job.subject))
        if delivery is None or delivery.sealed_keys is None:
            return _nothing_to_do
        add_log_ids(order_id=delivery.order_id, line_id=delivery.line_id)
        try:
            await self._write(delivery)
        except (UnknownRecipientKey, CannotOpen, CannotDecrypt, KeyStoreConflict) as error:
            return self._for_a_person(delivery.id, f"{type(error).__name__}: {error}")
        crash_point("delivery.after_put")
        return self._stored(delivery.id)

    async def _write(self, delivery: Delivery) -> None:
        keys = [open_game_key(self._ring, key) for key in delivery.sealed_keys or ()]
        document = pack(keys)
        envelope = delivery.envelope
        if envelope is None:
            fresh, _ = await self._cipher.seal(delivery, document)
            envelope = await self._write_down(delivery.id, fresh)
            crash_point("delivery.envelope_stored")
        ciphertext = await self._cipher.seal_again(delivery, envelope, document)
        crash_point("delivery.before_put")
        await self._store.put(envelope.object_key, ciphertext, envelope.checksum)

    async def _write_down(self, delivery_id: UUID, envelope: Envelope) -> Envelope:
        """Commit the envelope, unless another worker did so first: then take that one."""
        async with self._database.transaction() as transaction:
            delivery = await delivery_repository.get(transaction, delivery_id)
            if delivery is None:
                raise CannotDecrypt("the delivery is gone")
            if delivery.envelope is not None:
                return delivery.envelope
            delivery.envelope = envelope
            await delivery_repository.save(transaction, delivery)
        return envelope

    def _stored(self, delivery_id: UUID) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            delivery = await delivery_repository.get(transaction, delivery_id)
            if delivery is None or not delivery.move(State.STORED):
                return None  # voided meanwhile
            now = self._clock.now()
            delivery.sealed_keys = None
            delivery.ready_at = now
            delivery.expires_at = now + self._rules.lifetime
            await self._publish(transaction, delivery)
            await plan_key_mail(transaction, delivery, now)
            return None

        return settle

    def _for_a_person(self, delivery_id: UUID, reason: str) -> Settle:
        async def settle(transaction: Transaction) -> datetime | None:
            delivery = await delivery_repository.get(transaction, delivery_id)
            if delivery is not None and delivery.move(State.NEEDS_ATTENTION):
                await self._publish(transaction, delivery, reason)
            return None

        return settle

    async def _publish(
        self, transaction: Transaction, delivery: Delivery, reason: str | None = None
    ) -> None:
        await publish_delivery_updated(
            transaction, delivery, self._clock.now(), reveals=self._rules.reveals, reason=reason
        )


async def _nothing_to_do(_transaction: Transaction) -> datetime | None:
    return None
