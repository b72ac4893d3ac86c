"""The storefront beside a stand-in of the services its pages talk to, and a real browser."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright
from storefront.bootstrap import build_app
from storefront.settings import StorefrontSettings

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@asynccontextmanager
async def serving(app: FastAPI, listener: socket.socket) -> AsyncIterator[None]:
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.02)
    yield
    server.should_exit = True
    await task


def listen() -> tuple[socket.socket, str]:
    listener = socket.create_server(("127.0.0.1", 0))
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
async def shop(service: FastAPI) -> AsyncIterator[str]:
    """Where the pages are; `service`, which each file has its own of, stands in for the others."""
    (own, own_url), (other, other_url) = listen(), listen()
    settings = StorefrontSettings(
        environment="development",
        storefront_url=own_url,
        orders_url=other_url,
        delivery_url=other_url,
    )
    async with serving(build_app(settings), own), serving(service, other):
        yield own_url


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("browser (no chromium found)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield await browser.new_page()
        await browser.close()
