"""A stand-in of an OpenTelemetry collector: takes OTLP over HTTP and keeps the spans.

For tests only. It reads the protobuf form that the services send, gzipped or not.
"""

import gzip
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from stack.ports import LOOPBACK


@dataclass(frozen=True)
class Span:
    """What a service sent: ids as hexadecimal text, attributes as text."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: Mapping[str, str]


@dataclass
class TraceCollector:
    """Holds every span that came; `endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT wants."""

    endpoint: str = ""
    raw: list[bytes] = field(default_factory=list)
    _spans: list[Span] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator[Self]:
        """Listen on a free port of the loopback interface."""
        collector = cls()

        handler = type("Handler", (_Handler,), {"target": collector})
        with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
            collector.endpoint = f"http://{LOOPBACK}:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield collector
            finally:
                server.shutdown()
                thread.join()

    def take(self, body: bytes) -> None:
        """Keep the spans of one request."""
        request = ExportTraceServiceRequest.FromString(body)
        with self._lock:
            self.raw.append(body)
            self._spans.extend(_spans(request))

    def spans(self) -> Sequence[Span]:
        """Everything that came until now."""
        with self._lock:
            return list(self._spans)


class _Handler(BaseHTTPRequestHandler):
    target: TraceCollector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.target.take(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as inherited
        """Say nothing: the tests look at spans, not at requests."""


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        named = {a.key: a.value.string_value for a in resource.resource.attributes}
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Span(
                    service=named.get("service.name", ""),
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes={a.key: str(a.value).strip() for a in span.attributes},
                )
