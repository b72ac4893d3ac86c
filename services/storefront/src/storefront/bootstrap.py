"""The composition root of the storefront."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from webkit.http import create_http

from storefront.entrypoints.http_pages import PACKAGE, pages_router
from storefront.settings import StorefrontSettings


def build_app(settings: StorefrontSettings) -> FastAPI:
    """Run the storefront: the pages a customer opens."""
    app = create_http("storefront", routers=(pages_router(settings),), checks={})
    app.mount("/static", StaticFiles(directory=PACKAGE / "static"), name="static")
    return app
