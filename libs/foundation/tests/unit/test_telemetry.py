import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from foundation.telemetry import configure_telemetry, current_traceparent, span_from
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE_ID}-b7ad6b7169203331-01"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    configure_telemetry("payments", None)
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)  # the first one set in this process stays
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture(autouse=True)
def _fresh(exporter: InMemorySpanExporter) -> None:
    exporter.clear()


def test_outside_of_any_trace_there_is_no_traceparent() -> None:
    assert current_traceparent() is None


def test_a_trace_continues_over_two_hops() -> None:
    with span_from(SAMPLED, "first hop"):
        stored = current_traceparent()
    with span_from(stored, "second hop") as span:
        context = span.get_span_context()

    assert stored is not None
    assert stored != SAMPLED
    assert trace.format_trace_id(context.trace_id) == TRACE_ID


def test_without_a_traceparent_the_active_trace_goes_on() -> None:
    with span_from(SAMPLED, "outer"), span_from(None, "inner"):
        inner = current_traceparent()

    assert inner is not None
    assert inner.split("-")[1] == TRACE_ID


@pytest.mark.parametrize("broken", ["", "nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01"])
def test_an_unreadable_traceparent_starts_a_new_trace(broken: str) -> None:
    with span_from(broken, "hop"):
        started = current_traceparent()

    assert started is not None
    assert TRACE_ID not in started


def test_without_a_collector_a_new_trace_is_passed_on_but_not_recorded(
    exporter: InMemorySpanExporter,
) -> None:
    with span_from(None, "hop") as span:
        traceparent = current_traceparent()

    assert not span.is_recording()
    assert traceparent is not None
    assert int(traceparent[-2:], 16) & 1 == 0
    assert exporter.get_finished_spans() == ()


def test_kind_and_attributes_are_kept(exporter: InMemorySpanExporter) -> None:
    attributes = {"messaging.destination.name": "key.ready"}

    with span_from(SAMPLED, "consume key.ready", SpanKind.CONSUMER, **attributes):
        pass

    (span,) = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("consume key.ready", SpanKind.CONSUMER)
    assert dict(span.attributes or {}) == attributes


def test_a_failed_span_names_the_error_but_not_its_text(exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="AAAAA"), span_from(SAMPLED, "hop"):
        raise ValueError("AAAAA-BBBBB-CCCCC")

    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError")
    assert "AAAAA" not in span.to_json()


class Collector(HTTPServer):
    """An OTLP/HTTP collector that keeps what it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CollectorHandler)
        self.received: list[tuple[str, bytes]] = []


class CollectorHandler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments: object) -> None: ...


def test_with_a_collector_new_traces_are_sent_to_it_before_the_process_ends() -> None:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        provider = configure_telemetry("payments", f"http://127.0.0.1:{collector.server_port}/")

        with provider.get_tracer("test").start_as_current_span("create invoice"):
            pass
        provider.shutdown()
        collector.shutdown()
        thread.join()

    ((path, body),) = collector.received
    assert path == "/v1/traces"
    assert b"create invoice" in body
    assert b"payments" in body
