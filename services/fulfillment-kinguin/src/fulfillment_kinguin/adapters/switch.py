"""The switch that orders sets: whether anything new may be bought."""

import sqlalchemy as sa
from contracts import RolloutChanged
from persistence.database import Transaction
from sqlalchemy.dialects.postgresql import insert

from fulfillment_kinguin.adapters.tables import rollout


class Switch:
    """The stored switch under the environment's: false there overrides everything."""

    def __init__(self, *, kinguin_enabled: bool) -> None:
        self._kinguin_enabled = kinguin_enabled

    async def is_on(self, transaction: Transaction) -> bool:
        """Whether a planned purchase may go out.

        Without any word from orders the requests themselves are trusted: orders sends none
        while its own switch is off.
        """
        if not self._kinguin_enabled:
            return False
        stored = await transaction.scalar(sa.select(rollout.c.kinguin_enabled))
        return stored is not False

    async def hold(self, transaction: Transaction) -> bool:
        """Whether something may be bought, which stays so until the transaction ends.

        Locked before any line: a change of the switch goes on to lines, too.
        """
        await transaction.execute(sa.select(rollout.c.id).with_for_update(read=True))
        return await self.is_on(transaction)

    async def store(self, transaction: Transaction, message: RolloutChanged) -> None:
        """Keep what orders says; an older version changes nothing."""
        values = {
            "kinguin_enabled": message.kinguin_enabled,
            "rollout_percent": message.rollout_percent,
            "version": message.version,
        }
        await transaction.execute(
            insert(rollout)
            .values(id=1, **values)
            .on_conflict_do_update(
                index_elements=[rollout.c.id],
                set_=values,
                where=rollout.c.version < message.version,
            )
        )
