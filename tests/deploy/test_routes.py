"""What can be reached from outside: every path of the services, and nothing internal."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from fastapi import FastAPI
from foundation.settings import HttpSettings
from stack.plan import SERVICES
from storefront.bootstrap import build_app as build_storefront
from storefront.settings import StorefrontSettings

Manifest = dict[str, Any]
Route = tuple[str, str]

HIDDEN = (
    "/metrics",
    "/health/live",
    "/health/ready",
    "/openapi.json",
    "/docs",
    "/redoc",
    "/metrics/",
)


def choose(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] in kinds]


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside with the key it stands under."""
    yield key, value
    entries = value.items() if isinstance(value, dict) else enumerate([])
    for name, entry in entries:
        yield from walk(entry, str(name))
    if isinstance(value, list):
        for entry in value:
            yield from walk(entry, key)


def routes(manifests: list[Manifest], service: str) -> Iterator[Route]:
    """`(Exact or Prefix, path)` of everything that leads to a service from outside."""
    for ingress in choose(manifests, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            yield from (
                (path["pathType"], path["path"])
                for path in rule["http"]["paths"]
                if path["backend"]["service"]["name"] == service
            )
    for route in choose(manifests, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            if service in {backend["name"] for backend in rule.get("backendRefs", [])}:
                paths = [match["path"] for match in rule["matches"]]
                yield from ((it["type"].removeprefix("Path"), it["value"]) for it in paths)


def is_public(found: list[Route], path: str) -> bool:
    return any(
        path == route or (kind == "Prefix" and path.startswith(route.rstrip("/") + "/"))
        for kind, route in found
    )


def app_of(service: str) -> FastAPI:
    if service == "storefront":
        url = "http://127.0.0.1:9"
        return build_storefront(
            StorefrontSettings(storefront_url=url, orders_url=url, delivery_url=url)
        )
    package = service.replace("-", "_")
    settings: HttpSettings = import_module(f"{package}.testing").some_settings(
        "postgresql://a:b@127.0.0.1:1/c"
    )
    app: FastAPI = import_module(f"{package}.bootstrap").build_app(settings)
    return app


def paths_of(app: FastAPI) -> set[str]:
    """What the service answers, of every router that it includes."""
    routers = [app.router, *(getattr(it, "original_router", None) for it in app.router.routes)]
    found = {
        str(route.path)
        for router in routers
        if router is not None
        for route in router.routes
        if hasattr(route, "path")
    }
    return {path for path in found if not path.startswith(("/health", "/metrics", "/openapi"))}


@pytest.mark.parametrize("name", ["small", "production"])
@pytest.mark.parametrize("service", SERVICES)
def test_every_path_of_a_service_can_be_reached_from_outside(
    overlays: dict[str, list[Manifest]], name: str, service: str
) -> None:
    paths = paths_of(app_of(service))
    found = list(routes(overlays[name], service))

    assert paths
    assert {path for path in paths if not is_public(found, path)} - {"/static"} == set()


def leaks(manifests: list[Manifest]) -> Iterator[str]:
    for service in SERVICES:
        for path in HIDDEN:
            if is_public(list(routes(manifests, service)), path):
                yield f"{service} {path}"


def test_nothing_internal_can_be_reached_from_outside(manifests: list[Manifest]) -> None:
    assert list(leaks(manifests)) == []


@pytest.mark.parametrize(
    ("kind", "path"), [("PathPrefix", "/"), ("Exact", "/metrics"), ("PathPrefix", "/health")]
)
def test_way_to_what_is_internal_is_noticed(
    mutated: Callable[..., list[Manifest]], kind: str, path: str
) -> None:
    match = {"path": {"type": kind, "value": path}}

    changed = mutated("HTTPRoute", "delivery", "spec.rules.0.matches.+", match)

    assert list(leaks(changed)) != []


@pytest.mark.parametrize("service", SERVICES)
def test_ingress_and_gateway_lead_to_the_same(
    overlays: dict[str, list[Manifest]], service: str
) -> None:
    small, production = overlays["small"], overlays["production"]

    assert sorted(routes(small, service)) == sorted(routes(production, service))


@pytest.mark.parametrize("name", ["small", "staging", "production"])
def test_public_urls_in_the_settings_are_the_names_that_are_routed(
    overlays: dict[str, list[Manifest]], name: str
) -> None:
    hosts = {
        host
        for key, host in walk(choose(overlays[name], "Ingress", "HTTPRoute"))
        if key in {"host", "hostnames"} and isinstance(host, str)
    }
    public = ("STOREFRONT_URL", "ORDERS_URL", "DELIVERY_URL", "IPN_CALLBACK_URL")
    urls = {
        value
        for key, value in walk(choose(overlays[name], "ConfigMap"))
        if key in public and isinstance(value, str)
    }

    assert len(hosts) == len(SERVICES)
    assert all(url.startswith("https://") and url.split("/")[2] in hosts for url in urls)
    assert "from-hosts.example.com" not in hosts
