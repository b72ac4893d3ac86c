"""JSON lines on stdout for our own events and for every library.

Secrets stay out by their types (`SecretStr`, `GameKey`); as a second line of defence each
finished line is searched for what looks like a game key, a bearer token or the secret of
a mailed link. Correlation ids come from structlog's context variables.
"""

import logging
import re
import sys
from typing import Final, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

_QUIET: Final = ("httpx", "httpcore", "aiokafka", "sqlalchemy.engine", "botocore", "aiobotocore")
_SECRET_SHAPES: Final = re.compile(
    r"(?P<uuid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})(?:(?P<link>#)[\w-]+)?"
    r"|[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5}){2,}"
    r"|eyJ[\w-]{8,}(?:\.[\w-]+){0,2}"  # optional ends: never scans a text twice
    r"|(?P<bearer>[Bb]earer )[\w.~+/=-]{8,}"
)
_JSON: Final = structlog.processors.JSONRenderer(ensure_ascii=False)


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
