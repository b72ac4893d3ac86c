"""JSON lines on stdout for our own events and for every library, and the access log.

Secrets stay out by their types (`SecretStr`, `GameKey`); as a second line of defence each
finished line is searched for what looks like a game key, a bearer token or the secret of
a mailed link. Correlation ids come from structlog's context variables.
"""

import logging
import re
import sys
import time
from typing import Any, Final, TextIO

import structlog
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import EventDict, Processor, WrappedLogger

from servicekit.clock import new_id
from servicekit.telemetry import span_from

_QUIET: Final = ("httpx", "httpcore", "aiokafka", "sqlalchemy.engine", "botocore", "aiobotocore")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_UNLOGGED: Final = ("/health/", "/metrics")
_SECRET_SHAPES: Final = re.compile(
    r"(?P<uuid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})(?:(?P<link>#)[\w-]+)?"
    r"|[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){2,}"
    r"|eyJ[\w-]{8,}(?:\.[\w-]+){0,2}"  # optional ends: never scans a text twice
    r"|(?P<bearer>[Bb]earer )[\w.~+/=-]{8,}"
)
_JSON: Final = structlog.processors.JSONRenderer(ensure_ascii=False)

log = structlog.get_logger()


def mask_secrets(text: str) -> str:
    """Replace what looks like a game key, a token or a link's secret; UUIDs stay."""
    return _SECRET_SHAPES.sub(_mask, text)


def _mask(match: re.Match[str]) -> str:
    if match["uuid"]:
        return match["uuid"] + ("#***" if match["link"] else "")
    return (match["bearer"] or "") + "***"


def configure_logging(service: str, level: str, stream: TextIO = sys.stdout) -> None:
    """Route structlog and the standard library's logging to `stream` as JSON lines.

    Side effects: replaces the handlers of the root logger, switches uvicorn's access log off.
    """
    shared = _shared_processors(service)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _render,
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    _tame_libraries()


def _shared_processors(service: str) -> list[Processor]:
    def add_service(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.stdlib.PositionalArgumentsFormatter(),
        add_service,
        _add_trace,
    ]


def _add_trace(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _render(logger: WrappedLogger, name: str, event: EventDict) -> str:
    # Masking the finished line also reaches tracebacks and the text of nested objects.
    return mask_secrets(str(_JSON(logger, name, event)))


def _tame_libraries() -> None:
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "faststream"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    access = logging.getLogger("uvicorn.access")
    access.handlers, access.propagate = [], False
    logging.captureWarnings(capture=True)


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
