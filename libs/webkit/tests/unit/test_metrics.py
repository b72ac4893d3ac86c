from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry, Counter
from webkit.metrics import install_metrics
from webkit.problems import install_problems


def an_app(registry: CollectorRegistry) -> FastAPI:
    app = FastAPI()
    install_problems(app)
    install_metrics(app, registry)
    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}")
    async def order(order_id: str) -> str:
        return order_id

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    app.include_router(router)
    return app


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def client(registry: CollectorRegistry) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=an_app(registry))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def count(registry: CollectorRegistry, **labels: str) -> float | None:
    return registry.get_sample_value("http_request_duration_seconds_count", labels)


async def test_requests_are_counted_by_template_method_and_status(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await client.get("/orders/1")
    await client.get("/orders/2")

    assert count(registry, route="/orders/{order_id}", method="GET", status="200") == 2


async def test_strange_paths_and_methods_make_no_new_labels(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await client.get("/one")
    await client.get("/two")
    await client.request("BREW", "/three")

    assert count(registry, route="unmatched", method="GET", status="404") == 2
    assert count(registry, route="unmatched", method="OTHER", status="404") == 1


async def test_a_failure_is_counted_as_500(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    await client.get("/broken")

    assert count(registry, route="/broken", method="GET", status="500") == 1


async def test_the_endpoint_shows_everything_in_the_registry(
    client: httpx.AsyncClient, registry: CollectorRegistry
) -> None:
    Counter("keys_sold", "Keys", registry=registry).inc()

    response = await client.get("/metrics")

    assert response.headers["content-type"].startswith("text/plain")
    assert "keys_sold_total 1.0" in response.text
    assert "http_request_duration_seconds" in response.text


async def test_a_scraper_that_asks_for_openmetrics_gets_it(client: httpx.AsyncClient) -> None:
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})

    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


def test_two_applications_in_one_process_share_nothing() -> None:
    one, other = CollectorRegistry(), CollectorRegistry()

    an_app(one)
    an_app(other)

    assert {metric.name for metric in one.collect()} == {metric.name for metric in other.collect()}
