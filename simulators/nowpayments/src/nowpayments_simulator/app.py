"""The composition root: options in, ASGI app out. Clock and dice are born here."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI

from nowpayments_simulator.background import Background
from nowpayments_simulator.bearer import Account
from nowpayments_simulator.cashier import Cashier, CashierSettings
from nowpayments_simulator.errors import install_error_handlers
from nowpayments_simulator.faults import FaultPanel
from nowpayments_simulator.gate import Gate
from nowpayments_simulator.http_account import account_router
from nowpayments_simulator.http_control import control_router
from nowpayments_simulator.http_market import market_router
from nowpayments_simulator.http_pay_page import pay_page_router
from nowpayments_simulator.http_payments import create_router, read_router
from nowpayments_simulator.ipn_sender import IpnSender
from nowpayments_simulator.journal import Journal
from nowpayments_simulator.ledger import Ledger
from nowpayments_simulator.options import Options
from nowpayments_simulator.poster import Poster


def _utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(options: Options) -> FastAPI:
    """Build the simulator; the ledger of `options.state` is read at once.

    Raises:
        StateUnreadable: the state file holds something else.
        OSError: it cannot be read or written.
    """
    dice = random.SystemRandom()
    panel = FaultPanel()
    account = Account(options.api_key, options.email, options.password)
    gate = Gate(account, panel, dice)
    ledger = Ledger(Journal(options.state), _utc_now, dice)
    ledger.restore()
    background = Background()
    poster = Poster()
    cashier = _cashier(options, ledger, poster, background, panel)

    app = FastAPI(
        title="NOWPayments simulator", lifespan=_lifespan(cashier, background, poster, ledger)
    )
    app.include_router(account_router(account, gate, _utc_now))
    app.include_router(market_router(gate))
    app.include_router(create_router(ledger, cashier, gate, options.public_url))
    app.include_router(read_router(ledger, account, gate, panel, _utc_now))
    app.include_router(pay_page_router(ledger, cashier))
    app.include_router(control_router(ledger, cashier, panel))
    app.add_api_route("/health/live", _live)
    install_error_handlers(app)
    return app


def _cashier(
    options: Options,
    ledger: Ledger,
    poster: Poster,
    background: Background,
    panel: FaultPanel,
) -> Cashier:
    sender = IpnSender(
        poster,
        background,
        panel,
        attempts=options.ipn_attempts,
        retry_delay_s=options.ipn_retry_delay_ms / 1000,
    )
    settings = CashierSettings(
        ipn_secret=options.ipn_secret,
        default_callback_url=options.ipn_callback_url,
        step_delay_s=options.step_delay_ms / 1000,
    )
    return Cashier(ledger, sender, background, panel, settings, random.SystemRandom())


def _lifespan(
    cashier: Cashier, background: Background, poster: Poster, ledger: Ledger
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        cashier.resume()
        yield
        await background.stop()
        await poster.close()
        ledger.close()

    return lifespan


async def _live() -> dict[str, str]:
    return {"status": "ok"}
