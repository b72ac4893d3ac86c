"""Switch Kinguin on or off, and for how many products; with an audit row."""

from dataclasses import replace

from foundation.clock import Clock
from persistence.database import Database

from orders.adapters import audit, catalogue_repository
from orders.adapters.publish_rollout_changed import publish_rollout_changed
from orders.domain.routing import Rollout
from orders.handlers.place_order import effective


class ChangeRollout:
    """Stores the switch and tells fulfillment-kinguin."""

    def __init__(self, database: Database, clock: Clock, *, kinguin_enabled: bool) -> None:
        self._database = database
        self._clock = clock
        self._kinguin_enabled = kinguin_enabled

    async def __call__(self, wanted: Rollout, *, actor: str) -> Rollout:
        """Set it; the stored rollout comes back."""
        now = self._clock.now()
        async with self._database.transaction() as transaction:
            before = await catalogue_repository.get_rollout(transaction, lock=True)
            after = replace(wanted, version=before.version + 1)
            await catalogue_repository.save_rollout(transaction, after)
            holds = effective(after, kinguin_enabled=self._kinguin_enabled)
            await publish_rollout_changed(transaction, holds, now)
            await audit.record(
                transaction,
                now,
                audit.Entry(
                    actor=actor,
                    action="rollout.changed",
                    subject="rollout",
                    before=_facts(before),
                    after=_facts(after),
                ),
            )
        return after


def _facts(rollout: Rollout) -> dict[str, object]:
    return {
        "kinguin_enabled": rollout.kinguin_enabled,
        "rollout_percent": rollout.percent,
        "testers": len(rollout.tester_emails),
    }
