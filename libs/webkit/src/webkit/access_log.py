"""The access log: one line and one span a request, with the route instead of the path."""

import re
import time
from typing import Any, Final

import structlog
from foundation.clock import new_id
from foundation.telemetry import span_from
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UNLOGGED: Final = ("/health/", "/metrics")

log = structlog.get_logger()


def route_template(scope: Scope) -> str:
    """The route as declared, `/orders/{order_id}`: no values, so no secrets and few labels."""
    return str(getattr(scope.get("route"), "path", "unmatched"))


class AccessLogMiddleware:
    """One line and one span a request; the request id is bound to all lines and returned.

    An `X-Request-Id` of the caller is kept if it is 8 to 64 harmless characters. Probes
    and scrapes are not logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or scope["path"].startswith(_UNLOGGED):
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._serve(scope, receive, send, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        with span_from(None, scope["method"], kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                span.update_name(f"{scope['method']} {route_template(scope)}")
                log.info("request.served", **_facts(scope, status, started))


def _facts(scope: Scope, status: int, started: float) -> dict[str, Any]:
    return {
        "method": scope["method"],
        "route": route_template(scope),
        "status": status,
        "duration_ms": round((time.perf_counter() - started) * 1000, 1),
    }


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else str(new_id())
