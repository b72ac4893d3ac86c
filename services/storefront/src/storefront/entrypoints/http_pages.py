"""The pages: the shop's door, the way back from paying, and the mailed links.

Every page forbids scripts and styles but our own, sends no referrer, and is not kept by
caches. Opening a page changes nothing: mail scanners open links too.
"""

from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates
from webkit.problems import Problem

from storefront.settings import StorefrontSettings

PACKAGE: Final = Path(str(resources.files("storefront")))
_NOBODY: Final = "'none'"
_TEMPLATES: Final = Jinja2Templates(PACKAGE / "templates")


def pages_router(settings: StorefrontSettings) -> APIRouter:
    """All pages."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
    orders_url, delivery_url = settings.orders_url.rstrip("/"), settings.delivery_url.rstrip("/")

    def page(request: Request, name: str, asks: str = _NOBODY, **facts: object) -> Response:
        return _TEMPLATES.TemplateResponse(request, name, facts, headers=_headers(asks))

    @router.get("/")
    async def home(request: Request) -> Response:
        return page(request, "home.html")

    @router.get("/keys/{delivery_id}")
    async def keys(request: Request, delivery_id: str) -> Response:
        facts = {"delivery_id": _id(delivery_id), "delivery_url": delivery_url}
        return page(request, "keys.html", _origin(delivery_url), **facts)

    @router.get("/orders/{order_id}")
    async def order(request: Request, order_id: str) -> Response:
        facts = {"order_id": _id(order_id), "orders_url": orders_url}
        return page(request, "order.html", _origin(orders_url), **facts)

    @router.get("/refunds/{order_id}")
    async def refund(request: Request, order_id: str) -> Response:
        facts = {"order_id": _id(order_id), "orders_url": orders_url}
        return page(request, "refund.html", _origin(orders_url), **facts)

    return router


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Problem(404, detail="There is no such page.") from error


def _origin(url: str) -> str:
    """Without its path: a policy that names a folder would refuse what is below it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _headers(asks: str) -> dict[str, str]:
    """`asks` is the one service that the page's script may talk to."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {asks}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
