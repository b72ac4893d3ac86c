"""The HTTP side every service shares: errors, limits, logs, metrics, health."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry

from webkit.access_log import AccessLogMiddleware
from webkit.health import Check, health_router
from webkit.metrics import install_metrics
from webkit.openapi import install_openapi
from webkit.problems import BodyLimitMiddleware, install_problems

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_http(
    name: str,
    *,
    routers: Sequence[APIRouter],
    checks: Mapping[str, Check],
    lifespan: Lifespan | None = None,
    registry: CollectorRegistry | None = None,
    body_limits: Mapping[str, int] | None = None,
    is_transient: Callable[[Exception], bool] | None = None,
) -> FastAPI:
    """A FastAPI application with everything that all services answer alike.

    `body_limits` maps a path prefix to the most bytes a request body may have there;
    elsewhere it is 64 KiB. `is_transient` tells which errors pass by themselves: they are
    answered with 503.
    """
    app = FastAPI(title=name, lifespan=lifespan, docs_url=None, redoc_url=None)
    install_problems(app, is_transient)
    install_metrics(app, registry or CollectorRegistry())
    app.add_middleware(BodyLimitMiddleware, limits=body_limits or {})
    app.add_middleware(AccessLogMiddleware)
    app.include_router(health_router(checks))
    for router in routers:
        app.include_router(router)
    install_openapi(app)
    return app
