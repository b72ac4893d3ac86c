"""The job `guard_rollout`: take Kinguin back a step when too few of its lines get keys in time.

All in one transaction under the rollout's lock: replicas and an admin at the same moment see
one step, and the count starts anew with it.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import structlog
from foundation.clock import Clock, new_id
from persistence.database import Transaction
from persistence.measures import measure
from servicekit.jobs import Job, Settle

from orders.adapters import catalogue_repository, rollout_tally
from orders.adapters.metrics import ROLLOUT_STEPS_BACK
from orders.adapters.publish_email_requested import EmailRequests
from orders.domain.rollout_guard import Tally, step_back
from orders.domain.rollout_texts import stepped_back_mail, tally_words
from orders.domain.routing import Rollout
from orders.handlers.change_rollout import Changer, ChangeRollout

GUARD_ROLLOUT: Final = "guard_rollout"
EVERY: Final = timedelta(minutes=1)
_ACTOR: Final = "rollout guard"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class GuardRules:
    """The least percentage of success, and who is told by mail (nobody without an address)."""

    success_percent: Decimal
    operator_email: str | None


class GuardRollout:
    """Looks every minute; its subject is the one rollout."""

    def __init__(
        self, change: ChangeRollout, mails: EmailRequests, clock: Clock, rules: GuardRules
    ) -> None:
        self._change = change
        self._mails = mails
        self._clock = clock
        self._rules = rules

    async def __call__(self, _job: Job) -> Settle:
        """Everything happens in the settlement: nobody outside is asked."""
        return self._settle

    async def _settle(self, transaction: Transaction) -> datetime:
        now = self._clock.now()
        before = await catalogue_repository.get_rollout(transaction, lock=True)
        if self._change.is_in_force(before) and before.stepped_at is not None:
            tally = await rollout_tally.tally(transaction, before.stepped_at, now)
            lower = step_back(before.percent, tally, self._rules.success_percent)
            if lower is not None:
                await self._step_back(transaction, before, replace(before, percent=lower), tally)
        return now + EVERY

    async def _step_back(
        self, transaction: Transaction, before: Rollout, wanted: Rollout, tally: Tally
    ) -> None:
        by = Changer(_ACTOR, tally_words(tally))
        after = await self._change.apply(transaction, before, wanted, by)
        measure(transaction, ROLLOUT_STEPS_BACK)
        _log.error("rollout.stepped_back", percent=after.percent, was=before.percent)
        if self._rules.operator_email is not None:
            mail = stepped_back_mail(before, after, tally)
            address = self._rules.operator_email
            await self._mails.publish_to(transaction, address, new_id(), mail, self._clock.now())
