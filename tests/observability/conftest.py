import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack.otlp import TraceCollector
from stack.plan import SERVICES
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack, whole_stack


@pytest.fixture(scope="package")
def collector() -> Iterator[TraceCollector]:
    with TraceCollector.serving() as collector:
        yield collector


@pytest.fixture(scope="package")
def traced_stack(collector: TraceCollector) -> Iterator[RunningStack]:
    """A whole stack that sends its traces to `collector`."""
    folder = Path(tempfile.mkdtemp(prefix="bitloot-traced-"))
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
    with whole_stack(folder, dict.fromkeys(SERVICES, endpoint)) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
def traced_shop(traced_stack: RunningStack) -> Iterator[Shop]:
    shop = Shop.of(traced_stack)
    yield shop
    shop.http.close()


@pytest.fixture(scope="package")
def sold(traced_shop: Shop) -> PlacedOrder:
    """An order of a line of each source, delivered and opened."""
    own = traced_shop.add_product("Traced own")
    traced_shop.upload(own, ["TRACE-AAAAA-00001", "TRACE-AAAAA-00002"])
    bought = traced_shop.add_product(
        "Traced bought",
        "60.00",
        source_type="kinguin",
        kinguin_product_id="5c9b5c9b5c9b5c9b5c9b0007",
        kinguin_offer_id="5f7e5f7e5f7e5f7e5f7e0007",
    )
    order = traced_shop.place("traced@example.com", (own, 1), (bought, 1))
    traced_shop.pay(order)
    traced_shop.wait_for(order, "fulfilled")
    return order
