"""NOWPayments and Kinguin: they are up, and know our keys. Nothing is bought or invoiced."""

from typing import Final

from foundation.clock import SystemClock
from fulfillment_kinguin.adapters.kinguin_http import kinguin_client
from fulfillment_kinguin.bootstrap import build_supplier
from fulfillment_kinguin.errors import SupplierError
from fulfillment_kinguin.settings import KinguinSettings
from payments.adapters.nowpayments_http import NowPaymentsHttp, new_http_client
from payments.adapters.nowpayments_login import Login
from payments.errors import GatewayUnauthorized, GatewayUnavailable
from payments.settings import PaymentsSettings

from bitloot_cli.preflight.outcome import Outcome, failed, ok

_LATER: Final = "look at its status page and try again"


async def check_nowpayments(settings: PaymentsSettings) -> list[Outcome]:
    """Three lines: status, API key, log-in."""
    async with new_http_client(use_proxies=not settings.gateway_is_local) as client:
        http = NowPaymentsHttp(client, settings.nowpayments_api_url, settings.nowpayments_api_key)
        login = Login(
            http, settings.nowpayments_email, settings.nowpayments_password, SystemClock()
        )
        return [
            await _status(http, settings.nowpayments_api_url),
            await _api_key(http),
            await _log_in(login),
        ]


async def _status(http: NowPaymentsHttp, url: str) -> Outcome:
    subject = "payments NOWPayments status"
    try:
        (await http.call("GET", "/status")).raise_for_trouble()
    except (GatewayUnavailable, GatewayUnauthorized) as error:
        return failed(subject, error, f"is NOWPAYMENTS_API_URL ({url}) right? If so, {_LATER}")
    return ok(subject)


async def _api_key(http: NowPaymentsHttp) -> Outcome:
    subject = "payments NOWPAYMENTS_API_KEY"
    try:
        (await http.call("GET", "/currencies")).raise_for_trouble()
    except GatewayUnauthorized as error:
        return failed(subject, f"refused ({error})", "take the key from the account's settings")
    except GatewayUnavailable as error:
        return failed(subject, error, _LATER)
    return ok(subject, "accepted")


async def _log_in(login: Login) -> Outcome:
    subject = "payments NOWPAYMENTS_EMAIL and NOWPAYMENTS_PASSWORD"
    try:
        await login.token()
    except GatewayUnauthorized as error:
        return failed(subject, f"refused ({error})", "correct them; the case of the e-mail counts")
    except GatewayUnavailable as error:
        return failed(subject, error, _LATER)
    return ok(subject, "accepted")


async def check_kinguin(settings: KinguinSettings) -> list[Outcome]:
    """One line; nothing is asked while Kinguin is switched off."""
    subject = "fulfillment-kinguin KINGUIN_API_KEY"
    if not settings.kinguin_enabled:
        return [ok(subject, "not asked: KINGUIN_ENABLED=false")]
    async with kinguin_client(settings.kinguin_api_url, settings.kinguin_api_key) as client:
        supplier = build_supplier(settings, client, SystemClock())
        try:
            balance = await supplier.balance()
        except SupplierError as error:
            remedy = "check KINGUIN_API, KINGUIN_API_URL and the key of the store"
            return [failed(subject, f"{type(error).__name__} {error}", remedy)]
    return [ok(subject, f"accepted, balance {balance} EUR")]
