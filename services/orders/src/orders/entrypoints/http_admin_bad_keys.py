"""`/admin/bad-keys`: reported keys, and what a person decides about them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from persistence.database import Database
from webkit.paging import Page, PageRequest
from webkit.tokens import Principal, Role, require_admin

from orders.adapters import bad_key_repository
from orders.domain.bad_key import CaseState, Resolution
from orders.entrypoints.bad_key_schemas import AdminCaseOut, ResolveIn
from orders.entrypoints.problems import as_problems
from orders.handlers.resolve_bad_key import ResolveBadKey

Decider = Annotated[Principal, Depends(require_admin(Role.SUPPORT, Role.FINANCE))]


def admin_bad_keys_router(resolve: ResolveBadKey, database: Database) -> APIRouter:
    """Cases, and what becomes of them."""
    router = APIRouter(prefix="/admin/bad-keys", tags=["admin"])

    @router.get("")
    async def search(
        _admin: Decider,
        response: Response,
        page: Annotated[PageRequest, Depends()],
        state: CaseState = CaseState.OPEN,
    ) -> Page[AdminCaseOut]:
        """Cases by state: open ones with the most urgent first, others with the latest."""
        response.headers["Cache-Control"] = "no-store"
        after = page.after(_moment, UUID)
        async with database.transaction() as transaction:
            found = await bad_key_repository.page(
                transaction, page.limit + 1, (after[0], after[1]) if after else None, state
            )
        shown = [AdminCaseOut.of(case) for case in found]
        return Page[AdminCaseOut].of(shown, page.limit, lambda case: (case.due_at, case.id))

    @router.post("/{case_id}/resolve")
    async def decide(case_id: UUID, body: ResolveIn, admin: Decider) -> AdminCaseOut:
        """Replace, refund or reject; audited. The very same decision again changes nothing."""
        resolution = Resolution(body.action, admin.subject, body.reason, body.supplier_reference)
        with as_problems():
            return AdminCaseOut.of(await resolve(case_id, resolution))

    return router


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment has its offset")
    return moment
