"""`/admin/rollout`: the switch and the percentage for Kinguin."""

from typing import Annotated

from fastapi import APIRouter, Depends
from persistence.database import Database
from webkit.tokens import Principal, Role, require_admin

from orders.adapters import catalogue_repository
from orders.domain.routing import Rollout
from orders.entrypoints.schemas import RolloutBody, RolloutOut
from orders.handlers.change_rollout import ChangeRollout

Viewer = Annotated[Principal, Depends(require_admin())]
Owner = Annotated[Principal, Depends(require_admin(Role.OWNER))]


def admin_rollout_router(
    change: ChangeRollout, database: Database, *, kinguin_enabled: bool
) -> APIRouter:
    """Read and set the rollout."""
    router = APIRouter(prefix="/admin/rollout", tags=["admin"])

    @router.get("")
    async def show(_admin: Viewer) -> RolloutOut:
        """The stored switch and percentage, and what is in force."""
        async with database.transaction() as transaction:
            stored = await catalogue_repository.get_rollout(transaction)
        return _shown(stored, kinguin_enabled=kinguin_enabled)

    @router.put("")
    async def put(body: RolloutBody, admin: Owner) -> RolloutOut:
        """Set the switch, the percentage and the testers; audited."""
        wanted = Rollout(
            kinguin_enabled=body.kinguin_enabled,
            percent=body.rollout_percent,
            tester_emails=frozenset(email.casefold() for email in body.tester_emails),
        )
        stored = await change(wanted, actor=admin.subject)
        return _shown(stored, kinguin_enabled=kinguin_enabled)

    return router


def _shown(stored: Rollout, *, kinguin_enabled: bool) -> RolloutOut:
    return RolloutOut(
        kinguin_enabled=stored.kinguin_enabled,
        rollout_percent=stored.percent,
        tester_emails=sorted(stored.tester_emails),
        effective_kinguin_enabled=stored.kinguin_enabled and kinguin_enabled,
    )
