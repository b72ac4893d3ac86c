"""Prometheus metrics of the HTTP side, and the endpoint that shows all metrics.

Each application has a registry of its own, so that tests and several applications in one
process never share a counter. Routes are labels by template, never by path.
"""

import time
from typing import Final

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webkit.access_log import route_template

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def install_metrics(app: FastAPI, registry: CollectorRegistry) -> None:
    """Measure every request of the application and serve `GET /metrics` from `registry`."""
    durations = Histogram(
        "http_request_duration_seconds",
        "Time from the first byte of a request to the end of its answer",
        ["route", "method", "status"],
        registry=registry,
    )
    app.add_middleware(_MetricsMiddleware, durations=durations)
    app.add_api_route(
        "/metrics", metrics_endpoint, response_class=Response, include_in_schema=False
    )
    app.state.registry = registry


async def metrics_endpoint(request: Request) -> Response:
    """All metrics of the application's registry, in the format that the scraper asks for."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    body = encode(request.app.state.registry)
    return Response(body, headers={"Content-Type": content_type})


class _MetricsMiddleware:
    def __init__(self, app: ASGIApp, durations: Histogram) -> None:
        self._app = app
        self._durations = durations

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            child = self._durations.labels(route_template(scope), method, status)
            child.observe(time.perf_counter() - started)
