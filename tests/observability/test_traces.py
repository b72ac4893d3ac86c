"""One order is one trace over all services, through HTTP, Kafka, outbox rows and job rows."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pytest
from stack.otlp import Span, TraceCollector
from stack.plan import SERVICES_WITH_DATABASE
from stack.testing import PlacedOrder, Shop

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("traced"), pytest.mark.timeout(300)]

# Spans leave each service in batches, every five seconds.
_QUIET_S = 11.0
_ARRIVES_S = 90.0


def by_trace(spans: Sequence[Span]) -> Mapping[str, list[Span]]:
    traces: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    return traces


def placing(spans: Sequence[Span]) -> str:
    """The trace that began with the order."""
    [trace_id] = {span.trace_id for span in spans if span.name == "POST /orders"}
    return trace_id


@pytest.fixture(scope="module")
def trace(sold: PlacedOrder, collector: TraceCollector) -> list[Span]:
    """The order's trace, once its mail is sent and no service adds to it any more."""
    assert sold.id
    deadline = time.monotonic() + _ARRIVES_S
    found, since = trace_of_order(collector), time.monotonic()
    while (now := time.monotonic()) < deadline:
        if len(latest := trace_of_order(collector)) > len(found):
            found, since = latest, now
        if any(span.name == "settle mail" for span in found) and now - since > _QUIET_S:
            break
        time.sleep(0.5)
    return found


def trace_of_order(collector: TraceCollector) -> list[Span]:
    """What has arrived of it; nothing before its first span has."""
    spans = collector.spans()
    began = any(span.name == "POST /orders" for span in spans)
    return by_trace(spans)[placing(spans)] if began else []


def test_all_five_services_are_in_the_trace_of_one_order(trace: list[Span]) -> None:
    assert {span.service for span in trace} == set(SERVICES_WITH_DATABASE)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("payments", "consume order.placed"),
        ("payments", "job create_invoice"),
        ("payments", "job apply_ipn"),
        ("payments", "job confirm_payment"),
        ("orders", "consume payment.confirmed"),
        ("fulfillment-custom", "consume fulfillment.requested.custom"),
        ("fulfillment-kinguin", "consume fulfillment.requested.kinguin"),
        ("fulfillment-kinguin", "job place"),
        ("fulfillment-kinguin", "job poll"),
        ("delivery", "consume key.ready"),
        ("delivery", "job store"),
        ("orders", "consume delivery.updated"),
    ],
)
def test_every_hop_is_a_span_of_that_trace(trace: list[Span], service: str, name: str) -> None:
    assert (service, name) in {(span.service, span.name) for span in trace}


def test_every_span_but_the_first_has_its_parent_in_the_trace(trace: list[Span]) -> None:
    ids = {span.span_id for span in trace}

    orphans = [span.name for span in trace if span.parent_id not in ids]

    assert orphans == ["POST /orders"]


def test_no_key_and_no_address_leaves_with_a_span(
    trace: list[Span], collector: TraceCollector, traced_shop: Shop, sold: PlacedOrder
) -> None:
    secrets = [
        value
        for keys in traced_shop.keys(sold.email)
        for key in keys
        if (value := key.get("value"))
    ]
    secrets += [sold.email, sold.headers["Authorization"].removeprefix("Bearer ")]

    sent = b"".join(collector.raw)

    assert trace
    assert [secret for secret in secrets if secret.encode() in sent] == []
