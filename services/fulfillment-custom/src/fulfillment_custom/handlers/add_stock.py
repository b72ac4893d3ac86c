"""Keys come in: uploaded by an admin, or given back by Kinguin."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from contracts import SealedKey, SourceType, StockReturned
from foundation.clock import Clock, new_id
from foundation.sealing import GameKey, PublicKey, fingerprint, seal_game_key
from persistence.database import Database, Transaction
from pydantic import SecretBytes

from fulfillment_custom.adapters import stock_repository
from fulfillment_custom.adapters.tables import uploads
from fulfillment_custom.domain.upload import Accepted, Rejected
from fulfillment_custom.handlers.serve_lines import serve_waiting_lines


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What became of an upload."""

    added: int
    duplicates: int
    rejected: Sequence[Rejected]


class UploadKeys:
    """Seals uploaded keys, stores them, and serves the lines that wait for them."""

    def __init__(
        self, database: Database, clock: Clock, public_key: PublicKey, pepper: SecretBytes
    ) -> None:
        self._database = database
        self._clock = clock
        self._public_key = public_key
        self._pepper = pepper

    async def __call__(
        self,
        product_id: UUID,
        accepted: Sequence[Accepted],
        rejected: Sequence[Rejected],
        *,
        actor: str,
    ) -> UploadReport:
        """Store what is new, in one transaction."""
        # 0.1 ms a key on one core: thousands of them would hold up every request.
        sealed = await asyncio.to_thread(self._seal_all, [item.key for item in accepted])
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            await stock_repository.serialise_arrivals(transaction)
            await stock_repository.lock_product(transaction, product_id)
            added = await stock_repository.add_keys(
                transaction, product_id, sealed, origin="upload"
            )
            await serve_waiting_lines(transaction, product_id, now)
            report = UploadReport(added, len(sealed) - added, rejected)
            await transaction.execute(
                sa.insert(uploads).values(
                    id=new_id(),
                    at=now,
                    actor=actor,
                    product_id=product_id,
                    added=report.added,
                    duplicates=report.duplicates,
                    rejected=len(rejected),
                )
            )
        return report

    def _seal_all(self, keys: Sequence[GameKey]) -> list[SealedKey]:
        return [self._seal(key) for key in keys]

    def _seal(self, key: GameKey) -> SealedKey:
        key_id = new_id()
        return SealedKey(
            key_id=key_id,
            fingerprint=fingerprint(self._pepper, key),
            media_type=key.media_type,
            sealed=seal_game_key(
                self._public_key, key, source=SourceType.CUSTOM.value, key_id=key_id
            ),
        )


class TakeReturnedKeys:
    """Keys Kinguin sold us and nobody wants any more: on the shelf with them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, transaction: Transaction, message: StockReturned) -> None:
        """Store them as they are: sealed for delivery."""
        await stock_repository.serialise_arrivals(transaction)
        await stock_repository.lock_product(transaction, message.product_id)
        await stock_repository.add_keys(
            transaction, message.product_id, message.keys, origin="returned"
        )
        await serve_waiting_lines(transaction, message.product_id, self._clock.now())
