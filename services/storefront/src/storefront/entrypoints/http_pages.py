"""The pages: the shop's door, the way back from paying, and the mailed link.

Every page forbids scripts and styles but our own, sends no referrer, and is not kept by
caches. Opening a page changes nothing: mail scanners open links too.
"""

from importlib import resources
from pathlib import Path
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates
from webkit.problems import Problem

from storefront.settings import StorefrontSettings

PACKAGE: Final = Path(str(resources.files("storefront")))
_TEMPLATES: Final = Jinja2Templates(PACKAGE / "templates")


def pages_router(settings: StorefrontSettings) -> APIRouter:
    """All pages."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)
    headers, delivery_url = _headers(settings), settings.delivery_url.rstrip("/")

    def page(request: Request, name: str, **facts: object) -> Response:
        return _TEMPLATES.TemplateResponse(request, name, facts, headers=headers)

    @router.get("/")
    async def home(request: Request) -> Response:
        return page(request, "home.html")

    @router.get("/keys/{delivery_id}")
    async def keys(request: Request, delivery_id: str) -> Response:
        facts = {"delivery_id": _id(delivery_id), "delivery_url": delivery_url}
        return page(request, "keys.html", **facts)

    @router.get("/orders/{order_id}")
    async def order(request: Request, order_id: str) -> Response:
        return page(request, "order.html", order_id=_id(order_id))

    return router


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Problem(404, detail="There is no such page.") from error


def _headers(settings: StorefrontSettings) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src {settings.delivery_url.rstrip('/')}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
