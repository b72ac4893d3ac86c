"""Lists in pages: `limit` 1 to 100 and an opaque cursor; `{"items", "next_cursor"}`.

A cursor is the sort key of the last item shown. Callers may forge one, so its parts are
parsed like any other input and it grants nothing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Self, TypeVar

from fastapi import Query
from foundation.settings import decode_base64url, encode_base64url
from pydantic import BaseModel

from webkit.problems import FieldError, Problem

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list; `next_cursor` is None on the last one."""

    items: list[T]
    next_cursor: str | None = None

    @classmethod
    def of(cls, items: Sequence[T], limit: int, sort_key: Callable[[T], Sequence[object]]) -> Self:
        """Make a page from up to `limit + 1` items: the one too many tells that more follow."""
        shown = list(items[:limit])
        has_more = len(items) > limit
        return cls(
            items=shown, next_cursor=encode_cursor(sort_key(shown[-1])) if has_more else None
        )


@dataclass(frozen=True)
class PageRequest:
    """What the caller asks for; a dependency: `Annotated[PageRequest, Depends()]`."""

    limit: Annotated[int, Query(ge=1, le=100)] = 25
    cursor: Annotated[str | None, Query(max_length=500)] = None

    def after(self, *parsers: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """The sort key to continue after, each part read by its parser; None on page one.

        Raises:
            Problem: 422, the cursor is not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            parts = _read(self.cursor)
            return tuple(read(part) for read, part in zip(parsers, parts, strict=True))
        except (ValueError, TypeError, ArithmeticError, AttributeError) as error:
            wrong = FieldError("cursor", "is not a cursor of this list: leave it out to start over")
            raise Problem(422, "Invalid request", wrong.reason, errors=[wrong]) from error


def encode_cursor(sort_key: Sequence[object]) -> str:
    """The sort key as opaque text."""
    return encode_base64url(json.dumps([str(part) for part in sort_key]).encode())


def _read(cursor: str) -> Any:
    parts = json.loads(decode_base64url(cursor))
    if any("\0" in part for part in parts):
        raise ValueError("PostgreSQL holds every character but NUL")
    return parts
