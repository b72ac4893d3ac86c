"""Switch Kinguin on or off, and for how many products; with an audit row."""

from dataclasses import dataclass, replace

from foundation.clock import Clock, version_at
from persistence.database import Database, Transaction

from orders.adapters import audit, catalogue_repository
from orders.adapters.publish_rollout_changed import publish_rollout_changed
from orders.domain.routing import Rollout
from orders.handlers.place_order import effective


@dataclass(frozen=True, slots=True)
class Changer:
    """Who changes it, and why."""

    actor: str
    reason: str | None = None


class ChangeRollout:
    """Stores the switch and tells fulfillment-kinguin."""

    def __init__(self, database: Database, clock: Clock, *, kinguin_enabled: bool) -> None:
        self._database = database
        self._clock = clock
        self._kinguin_enabled = kinguin_enabled

    async def __call__(self, wanted: Rollout, *, actor: str) -> Rollout:
        """Set it; the stored rollout comes back."""
        async with self._database.transaction() as transaction:
            before = await catalogue_repository.get_rollout(transaction, lock=True)
            return await self.apply(transaction, before, wanted, Changer(actor))

    async def apply(
        self, transaction: Transaction, before: Rollout, wanted: Rollout, by: Changer
    ) -> Rollout:
        """Set it in a transaction that holds the lock on `before`.

        Another switch or percentage is a step: the guard counts anew from here.
        """
        now = self._clock.now()
        is_step = (before.kinguin_enabled, before.percent) != (
            wanted.kinguin_enabled,
            wanted.percent,
        )
        stepped_at = now if is_step else before.stepped_at
        version = max(before.version + 1, version_at(now))
        after = replace(wanted, version=version, stepped_at=stepped_at)
        await catalogue_repository.save_rollout(transaction, after)
        holds = effective(after, kinguin_enabled=self._kinguin_enabled)
        await publish_rollout_changed(transaction, holds, now)
        entry = audit.Entry(
            actor=by.actor,
            action="rollout.changed",
            subject="rollout",
            reason=by.reason,
            before=_facts(before),
            after=_facts(after),
        )
        await audit.record(transaction, now, entry)
        return after

    def is_in_force(self, stored: Rollout) -> bool:
        """Whether anything goes to Kinguin: the environment may say no."""
        return effective(stored, kinguin_enabled=self._kinguin_enabled).kinguin_enabled


def _facts(rollout: Rollout) -> dict[str, object]:
    return {
        "kinguin_enabled": rollout.kinguin_enabled,
        "rollout_percent": rollout.percent,
        "testers": len(rollout.tester_emails),
        "version": rollout.version,
    }
