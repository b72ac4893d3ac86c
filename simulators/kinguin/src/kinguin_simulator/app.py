"""The composition root: options in, ASGI app out. Clock and dice are born here."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from kinguin_simulator.background import Background
from kinguin_simulator.books import Books
from kinguin_simulator.catalogue import Catalogue
from kinguin_simulator.edge import FaultGate, KeyCheck
from kinguin_simulator.errors import install_error_handlers
from kinguin_simulator.faults import FaultPanel
from kinguin_simulator.http_control import control_router
from kinguin_simulator.http_esa_orders import orders_router
from kinguin_simulator.http_esa_products import products_router
from kinguin_simulator.http_sales_manager import sales_manager_router
from kinguin_simulator.journal import Journal
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.options import Options
from kinguin_simulator.poster import Poster
from kinguin_simulator.webhooks import Webhooks

TICK_S = 0.05


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(options: Options) -> FastAPI:
    """Build the simulator; the ledger of `options.state` is read at once.

    Raises:
        StateUnreadable: the state file holds something else.
        OSError: it cannot be read or written.
    """
    panel = FaultPanel()
    background = Background()
    poster = Poster()
    webhooks = Webhooks(
        poster, background, panel, url=options.webhook_url, secret=options.webhook_secret
    )
    catalogue = Catalogue(options.products, options.stock)
    ledger = _ledger(options, panel, webhooks)
    key_check = KeyCheck(options.api_key)

    app = FastAPI(title="Kinguin simulator", lifespan=_lifespan(ledger, background, poster))
    app.include_router(products_router(catalogue, ledger, panel, key_check))
    app.include_router(orders_router(catalogue, ledger, key_check))
    app.include_router(sales_manager_router(catalogue, ledger, key_check))
    app.include_router(control_router(catalogue, ledger, panel, webhooks))
    app.add_api_route("/health/live", _live)
    app.add_middleware(FaultGate, panel=panel, dice=random.SystemRandom())
    install_error_handlers(app)
    return app


def _ledger(options: Options, panel: FaultPanel, webhooks: Webhooks) -> Ledger:
    ledger = Ledger(
        Journal(options.state),
        Books(options.balance),
        panel,
        _utc_now,
        random.SystemRandom(),
        delivery_delay=timedelta(milliseconds=options.delivery_delay_ms),
        on_status=webhooks.tell_status,
    )
    ledger.restore()
    return ledger


def _lifespan(
    ledger: Ledger, background: Background, poster: Poster
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        background.start(_deliver_in_time(ledger))
        yield
        await background.stop()
        await poster.close()
        ledger.close()

    return lifespan


async def _deliver_in_time(ledger: Ledger) -> None:
    while True:
        ledger.deliver_due()
        await asyncio.sleep(TICK_S)


async def _live() -> dict[str, str]:
    return {"status": "ok"}
