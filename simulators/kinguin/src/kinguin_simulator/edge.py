"""Around the API: the key check, and the faults that act on calls and answers."""

import asyncio
import hmac
import random

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kinguin_simulator.connections import cut
from kinguin_simulator.errors import ApiError, envelope
from kinguin_simulator.faults import FaultPanel, Faults

API_PREFIXES = ("/esa/api/", "/v1/")
ORDER_PATHS = {"/esa/api/v1/order", "/esa/api/v2/order", "/v1/orders"}
CREATED = 201
OK = 200
RETURN_PATH_END = "/keys/return"
KINDS = {401: "Authorization", 409: "ResourceLock"}
HTML_ERROR = "<html><head><title>Error</title></head><body><h1>Bad gateway</h1></body></html>"
HTML_LOG_IN = "<html><head><title>Log in</title></head><body><form></form></body></html>"


class KeyCheck:
    """Lets calls with the account's key pass; the older header name counts too."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key.encode()

    async def __call__(self, request: Request) -> None:
        """Refuse a call without the key, with the 401 body of Kinguin."""
        headers = request.headers
        given = headers.get("x-api-key") or headers.get("api-ecommerce-auth") or ""
        if not hmac.compare_digest(given.encode(), self._api_key):
            raise ApiError(401, "Authorization", "Invalid authentication data.")


class FaultGate:
    """ASGI middleware: slow, refused, lost and mangled answers on demand."""

    def __init__(self, app: ASGIApp, panel: FaultPanel, dice: random.Random) -> None:
        self._app = app
        self._panel = panel
        self._dice = dice

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or spoil it."""
        if scope["type"] != "http" or not scope["path"].startswith(API_PREFIXES):
            await self._app(scope, receive, send)
            return
        faults = self._panel.current
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if faults.refuses_call(self._dice):
            await _refusal(scope, faults)(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST" and scope["path"] in ORDER_PATHS:
            await self._answer_order(scope, receive, send)
        elif scope["method"] == "POST" and scope["path"].endswith(RETURN_PATH_END):
            await self._answer_return(scope, receive, send)
        elif scope["method"] == "GET" and self._panel.current.html_answers:
            await HTMLResponse(HTML_LOG_IN)(scope, receive, send)
        elif scope["method"] == "GET" and self._panel.current.truncate_json:
            messages = await self._collect(scope, receive)
            await _truncated(messages)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _answer_order(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = await self._collect(scope, receive)
        accepted = messages[0]["status"] == CREATED
        if accepted and self._panel.current.drops_answer():
            await cut(scope, receive)
        elif accepted and self._panel.current.spoils_answer():
            error = ApiError(500, "Error", "The order was kept, but the answer is lost on purpose")
            await _error(scope, error)(scope, receive, send)
        else:
            for message in messages:
                await send(message)

    async def _answer_return(self, scope: Scope, receive: Receive, send: Send) -> None:
        messages = await self._collect(scope, receive)
        if messages[0]["status"] == OK and self._panel.current.drops_return():
            await cut(scope, receive)
            return
        for message in messages:
            await send(message)

    async def _collect(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        return messages


def _refusal(scope: Scope, faults: Faults) -> Response:
    status = faults.error_status
    headers = {} if faults.retry_after_s is None else {"Retry-After": str(faults.retry_after_s)}
    if faults.html_errors:
        return HTMLResponse(HTML_ERROR, status, headers)
    kind = KINDS.get(status, "Error" if status >= 500 else "Http")  # noqa: PLR2004 - HTTP
    return _error(scope, ApiError(status, kind, "Refused on purpose by a fault"), headers)


def _error(scope: Scope, error: ApiError, headers: dict[str, str] | None = None) -> Response:
    body = envelope(scope["path"], scope["method"], error)
    return JSONResponse(body, error.status, headers)


def _truncated(messages: list[Message]) -> Response:
    body = b"".join(message.get("body", b"") for message in messages)
    status = messages[0]["status"]
    return Response(body[: len(body) // 2], status, media_type="application/json")
