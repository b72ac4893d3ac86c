"""Show the keys to the buyer: counted, limited in time, and written down before the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from contracts import DeliveryState
from foundation.clock import Clock, new_id
from foundation.sealing import GameKey
from persistence.database import Database, Transaction
from pydantic import SecretBytes
from webkit.tokens import Principal, Scope

from delivery.adapters import delivery_repository
from delivery.adapters.key_cipher import KeyCipher
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.adapters.tables import reveal_log, wrong_tries
from delivery.domain.delivery import READABLE, Delivery, State
from delivery.domain.document import unpack
from delivery.domain.link import token_matches
from delivery.errors import LinkSpent, NoSuchLink, TooManyTries
from delivery.ports import KeyStore

WRONG_TRIES: Final = 10
WRONG_WINDOW: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RevealRequest:
    """Who wants to see which keys; `client` describes the caller for the audit."""

    delivery_id: UUID
    token: str | None
    principal: Principal | None
    client: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """The keys, and how often the link may still be used."""

    keys: Sequence[GameKey]
    reveals_left: int


class RevealKeys:
    """Checks, decrypts, counts, and only then answers."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        cipher: KeyCipher,
        store: KeyStore,
        link_secret: SecretBytes,
        reveals: int,
    ) -> None:
        self._database = database
        self._clock = clock
        self._cipher = cipher
        self._store = store
        self._link_secret = link_secret
        self._reveals = reveals

    async def __call__(self, request: RevealRequest) -> Revealed:
        """The keys.

        Raises:
            NoSuchLink, LinkSpent, TooManyTries: nothing is shown and nothing counted.
            KeyStoreUnavailable, CannotDecrypt: not now; nothing was counted.
        """
        async with self._database.transaction() as transaction:
            delivery = await delivery_repository.read(transaction, request.delivery_id)
        try:
            self._check(delivery, request)
        except NoSuchLink:
            await self._count_wrong_try(request)
            raise
        if delivery is None:
            raise NoSuchLink
        keys = await self._decrypt(delivery)
        return await self._count(request, keys)

    def _check(self, delivery: Delivery | None, request: RevealRequest) -> None:
        """Whether the keys may be shown, as things are.

        Raises:
            NoSuchLink, LinkSpent: they may not.
        """
        if delivery is None or not self._may_open(delivery, request):
            raise NoSuchLink
        if delivery.state is State.VOIDED:
            raise LinkSpent
        if delivery.state not in READABLE:
            raise NoSuchLink
        if delivery.is_spent(self._clock.now(), self._reveals):
            raise LinkSpent

    def _may_open(self, delivery: Delivery, request: RevealRequest) -> bool:
        if request.token is not None:
            return token_matches(
                request.token, self._link_secret, delivery.id, delivery.link_version
            )
        return opens(request.principal, delivery, self._clock.now())

    async def _decrypt(self, delivery: Delivery) -> list[GameKey]:
        if delivery.envelope is None:
            raise NoSuchLink
        ciphertext = await self._store.get(delivery.envelope.object_key)
        return unpack(await self._cipher.open(delivery, delivery.envelope, ciphertext))

    async def _count(self, request: RevealRequest, keys: Sequence[GameKey]) -> Revealed:
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            delivery = await delivery_repository.get(transaction, request.delivery_id)
            self._check(delivery, request)  # again, now that nobody else can count
            if delivery is None:
                raise NoSuchLink
            delivery.reveals_used += 1
            delivery.was_revealed = True
            left = self._reveals - delivery.reveals_used
            await self._write_down(transaction, request, left, now)
            await publish_delivery_updated(
                transaction,
                delivery,
                now,
                reveals=self._reveals,
                state=DeliveryState.REVEALED,
                revealed=True,
            )
        return Revealed(keys, left)

    async def _write_down(
        self, transaction: Transaction, request: RevealRequest, left: int, now: datetime
    ) -> None:
        await transaction.execute(
            sa.insert(reveal_log).values(
                id=new_id(),
                delivery_id=request.delivery_id,
                at=now,
                opened_by="link" if request.token is not None else "order token",
                client=request.client,
                reveals_left=left,
            )
        )

    async def _count_wrong_try(self, request: RevealRequest) -> None:
        """Remember a wrong token; a right one is never locked out by them.

        Raises:
            TooManyTries: there were too many of late.
        """
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            recent = await transaction.scalar(
                sa.select(sa.func.count())
                .select_from(wrong_tries)
                .where(
                    wrong_tries.c.delivery_id == request.delivery_id,
                    wrong_tries.c.at > now - WRONG_WINDOW,
                )
            )
            if (recent or 0) >= WRONG_TRIES:
                raise TooManyTries
            await transaction.execute(
                sa.insert(wrong_tries).values(id=new_id(), delivery_id=request.delivery_id, at=now)
            )


def opens(principal: Principal | None, delivery: Delivery, now: datetime) -> bool:
    """Whether the order's own token opens this delivery; an admin's never does."""
    return (
        principal is not None
        and principal.scope is Scope.ORDER
        and principal.subject == str(delivery.order_id)
        and delivery.order_token_holds(now)
    )
