"""What delivery looks at before it serves: the bucket, and the keys of what it has stored.

A store that is merely away is no reason to stay away: storing tries again. What only a person can
set right is refused at once, before a buyer meets it.
"""

import structlog
from foundation.refusals import Refusal
from persistence.database import Database

from delivery.adapters.delivery_repository import one_wrapped_key_each
from delivery.adapters.key_cipher import context_of_ids
from delivery.errors import CannotDecrypt, KeyStoreMisconfigured, KeyStoreUnavailable
from delivery.ports import KeyProvider, KeyStore, WrappedKey

_log = structlog.get_logger()


class CheckStart:
    """Refuse what would make every order or every reveal fail."""

    def __init__(self, database: Database, provider: KeyProvider, store: KeyStore) -> None:
        self._database = database
        self._provider = provider
        self._store = store

    async def __call__(self) -> None:
        """Return if nothing is wrong for certain.

        Raises:
            Refusal: a stored delivery's key-encryption key is not in the ring, the bucket is
                missing, or its access keys are refused.
        """
        await self._check_keys()
        await self._check_bucket()

    async def _check_keys(self) -> None:
        async with self._database.transaction() as transaction:
            rows = await one_wrapped_key_each(transaction)
        for row in rows:
            context = context_of_ids(order=row.order_id, line=row.line_id, delivery=row.id)
            try:
                await self._provider.unwrap(WrappedKey(row.kek_id, row.wrapped_key), context)
            except CannotDecrypt as error:
                raise Refusal(
                    f"KEKS (or KEKS_FILE) does not open what was stored under the key {row.kek_id} "
                    f"({error}): put that key back into it, as it was"
                ) from error

    async def _check_bucket(self) -> None:
        try:
            await self._store.check()
        except KeyStoreMisconfigured as error:
            raise Refusal(str(error)) from error
        except KeyStoreUnavailable as error:
            _log.warning("key_store.away", reason=str(error))
