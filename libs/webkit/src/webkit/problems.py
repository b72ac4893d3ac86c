"""Errors over HTTP as RFC 9457 `application/problem+json`, and the limit on bodies.

A rejected value is never repeated and a stack trace never leaves the process: for what
nobody expected the client reads a generic text with the request id to quote. What passes by
itself, as a database that restarts or has no connection free, is 503 with `Retry-After`: RFC 9110
section 15.6.4.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_BODY_LIMIT_BYTES: Final = 64 * 1024
_LOCATIONS: Final = frozenset({"body", "query", "path", "header", "cookie"})
_MAX_NAME: Final = 100

log = structlog.get_logger()


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of a request."""

    field: str
    reason: str


class Problem(Exception):
    """Answer the request with this status; `title` is the status phrase if left out."""

    def __init__(
        self,
        status: int,
        title: str | None = None,
        detail: str = "",
        *,
        type: str = "about:blank",  # noqa: A002  # the member's name in RFC 9457
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.type = type
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        super().__init__(f"{status} {self.title}: {detail}")


def problem_response(problem: Problem) -> Response:
    """The problem as `application/problem+json`."""
    body: dict[str, Any] = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        body["errors"] = [{"field": e.field, "reason": e.reason} for e in problem.errors]
    return JSONResponse(
        body, problem.status, headers=problem.headers, media_type="application/problem+json"
    )


def install_problems(app: FastAPI, is_transient: Callable[[Exception], bool] | None = None) -> None:
    """Make every error of the application a problem; call before other middleware.

    `is_transient` tells which unexpected errors pass by themselves.
    """
    app.add_middleware(_UnexpectedErrorMiddleware, is_transient=is_transient or _never)
    app.add_exception_handler(Problem, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    app.add_exception_handler(HTTPException, _answer)


def _never(_error: Exception) -> bool:
    return False


async def _answer(_request: Request, error: Exception) -> Response:
    return problem_response(_as_problem(error))


def _as_problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            fields = [FieldError(_field(e["loc"]), _reason(e)) for e in error.errors()]
            return Problem(422, "Invalid request", "Some fields are not valid.", errors=fields)
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase
            detail = "" if error.detail == phrase else error.detail
            return Problem(error.status_code, phrase, detail, headers=error.headers)
        case _:
            raise error


def _field(location: Sequence[str | int]) -> str:
    names = [str(part)[:_MAX_NAME] for part in location]
    inner = names[1:] if names and names[0] in _LOCATIONS else names
    # After "body" alone, a number is the offset where JSON broke, not a field.
    is_offset = len(inner) == 1 and inner[0].isdigit()
    return names[0] if is_offset or not inner else ".".join(inner)


def _reason(error: Mapping[str, Any]) -> str:
    kind, message = str(error["type"]), str(error["msg"])
    if kind == "json_invalid":
        return "is not valid JSON"
    if kind == "union_tag_invalid":
        return "Input should be one of the known kinds"  # pydantic's text repeats the value
    if kind.endswith("_parsing"):
        return message.partition(",")[0]  # what follows may quote characters of the value
    return message.removeprefix("Value error, ")


class _UnexpectedErrorMiddleware:
    def __init__(self, app: ASGIApp, is_transient: Callable[[Exception], bool]) -> None:
        self._app = app
        self._is_transient = is_transient

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def watch(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            log.exception("request.failed", method=scope["method"])
            if has_started:
                raise
            problem = _BUSY if self._is_transient(error) else _unexpected(scope)
            await problem_response(problem)(scope, receive, send)


_BUSY: Final = Problem(
    503, detail="This is busy just now; please try again.", headers={"Retry-After": "2"}
)


def _unexpected(scope: Scope) -> Problem:
    request_id = scope.get("state", {}).get("request_id")
    hint = f" Please quote request {request_id}." if request_id else ""
    return Problem(500, detail=f"Something went wrong on our side.{hint}")


class BodyLimitMiddleware:
    """Refuse bodies over a limit with 413, by `Content-Length` and by counting what comes.

    `limits` maps path prefixes to bytes; the longest matching prefix wins.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Mapping[str, int] | None = None,
        default: int = DEFAULT_BODY_LIMIT_BYTES,
    ) -> None:
        self._app = app
        self._limits = sorted((limits or {}).items(), key=lambda item: -len(item[0]))
        self._default = default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope["path"])
        if _declared_length(scope) > limit:
            await problem_response(_too_large(limit))(scope, receive, send)
            return
        await self._app(scope, _counting(receive, limit), send)

    def _limit_for(self, path: str) -> int:
        return next((n for prefix, n in self._limits if path.startswith(prefix)), self._default)


def _declared_length(scope: Scope) -> int:
    values = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value) for value in values if value.isdigit()), default=0)


def _counting(receive: Receive, limit: int) -> Receive:
    received = 0

    async def receive_counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            # An HTTPException, because FastAPI turns any other error in a body into 400.
            raise HTTPException(413, _too_large(limit).detail)
        return message

    return receive_counted


def _too_large(limit: int) -> Problem:
    return Problem(413, detail=f"The body may have at most {limit} bytes.")
