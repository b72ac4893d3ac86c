"""`POST /admin/products/{id}/keys` and `GET /admin/stock`.

Neither the answer nor a log ever repeats a key.
"""

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from persistence.database import Database
from pydantic import BaseModel, ConfigDict, ValidationError
from webkit.paging import Page, PageRequest
from webkit.problems import FieldError, Problem
from webkit.tokens import Principal, Role, require_admin

from fulfillment_custom.adapters import stock_queries
from fulfillment_custom.domain.upload import MAX_KEYS, read_keys
from fulfillment_custom.handlers.add_stock import UploadKeys

Viewer = Annotated[Principal, Depends(require_admin())]
StockAdmin = Annotated[Principal, Depends(require_admin(Role.STOCK))]


_HEADERS: Final = frozenset({"key", "keys"})


class KeysIn(BaseModel):
    """The JSON form of an upload."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    keys: list[str]


class RejectedOut(BaseModel):
    """A line that holds no key, and why."""

    line: int
    reason: str


class UploadOut(BaseModel):
    """What became of an upload."""

    added: int
    duplicates: int
    rejected: list[RejectedOut]


def stock_router(upload: UploadKeys, database: Database) -> APIRouter:
    """Fill the stock and look at it."""
    router = APIRouter(prefix="/admin", tags=["admin"])

    @router.post("/products/{product_id}/keys")
    async def upload_keys(product_id: UUID, request: Request, admin: StockAdmin) -> UploadOut:
        """Add keys to the stock of a product: JSON, or text with one key a line, up to 10,000."""
        lines = _lines(request.headers.get("content-type", ""), await request.body())
        if sum(1 for line in lines if line is None or line.strip()) > MAX_KEYS:
            raise _invalid("keys", f"at most {MAX_KEYS} keys at once: split the upload")
        accepted, rejected = read_keys(lines)
        report = await upload(product_id, accepted, rejected, actor=admin.subject)
        return UploadOut(
            added=report.added,
            duplicates=report.duplicates,
            rejected=[RejectedOut(line=r.line, reason=r.reason) for r in report.rejected],
        )

    @router.get("/stock")
    async def stock(
        _admin: Viewer, page: Annotated[PageRequest, Depends()], product_id: UUID | None = None
    ) -> Page[dict[str, Any]]:
        """How many keys of each product are free, reserved, assigned and withdrawn."""
        async with database.transaction() as transaction:
            rows = await stock_queries.levels(
                transaction, page.limit + 1, page.after(UUID), product_id
            )
        return Page[dict[str, Any]].of(rows, page.limit, lambda row: (row["product_id"],))

    return router


def _lines(content_type: str, body: bytes) -> Sequence[str | None]:
    match content_type.partition(";")[0].strip().lower():
        case "application/json":
            return _json_lines(body)
        case "text/csv":
            return _csv_lines(_text(body))
        case "text/plain":
            return _text(body).splitlines()
        case _:
            raise Problem(415, detail="Send keys as application/json, text/csv or text/plain.")


def _csv_lines(text: str) -> Sequence[str | None]:
    """One key a row; a header is passed over, a row of several columns is None."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        raise _invalid("body", "is not CSV: a quote is not closed") from None  # as below
    lines = [row[0] if len(row) == 1 else None if row else "" for row in rows]
    if lines and (lines[0] or "").strip().casefold() in _HEADERS:
        lines[0] = ""
    return lines


def _json_lines(body: bytes) -> Sequence[str]:
    try:
        return KeysIn.model_validate_json(body).keys
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "body"
        reason = "is not valid JSON" if first["type"] == "json_invalid" else first["msg"]
        raise _invalid(where, reason) from None  # the cause holds the keys


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _invalid("body", "is not UTF-8 text") from None  # the cause holds the keys


def _invalid(field: str, reason: str) -> Problem:
    return Problem(
        422, "Invalid request", "The upload was not taken.", errors=[FieldError(field, reason)]
    )
