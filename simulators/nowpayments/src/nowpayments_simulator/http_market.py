"""Currencies, minimum amounts and estimates: what the shop may ask before it sells."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from nowpayments_simulator.coins import COINS, PAYOUT_COIN, Coin, convert, rounded
from nowpayments_simulator.gate import Gate
from nowpayments_simulator.js_response import JsResponse
from nowpayments_simulator.requests import Currency

HIGHEST_USD = Decimal(200_000)
Amount = Annotated[Decimal, Query(gt=0)]


def market_router(gate: Gate) -> APIRouter:
    """Read-only market data; every call needs the API key."""
    checks = [Depends(gate.misbehave), Depends(gate.check_key)]
    router = APIRouter(prefix="/v1", dependencies=checks)
    _add_lists(router)
    _add_amounts(router)
    return router


def _add_lists(router: APIRouter) -> None:
    @router.get("/currencies")
    async def currencies(*, fixed_rate: bool = False) -> JsResponse:
        coins = [_limits(coin) for coin in COINS.values()] if fixed_rate else list(COINS)
        return JsResponse({"currencies": coins})

    @router.get("/full-currencies")
    async def full_currencies() -> JsResponse:
        coins = [_full(number, coin) for number, coin in enumerate(COINS.values(), start=1)]
        return JsResponse({"currencies": coins})

    @router.get("/merchant/coins")
    async def merchant_coins() -> JsResponse:
        return JsResponse({"selectedCurrencies": [code.upper() for code in COINS]})


def _add_amounts(router: APIRouter) -> None:
    @router.get("/min-amount")
    async def min_amount(
        currency_from: Currency,
        currency_to: Currency = PAYOUT_COIN,
        fiat_equivalent: Currency | None = None,
    ) -> JsResponse:
        least = _least_usd(currency_from)
        answer = {
            "currency_from": currency_from,
            "currency_to": currency_to,
            "min_amount": convert(least, "usd", currency_from),
        }
        if fiat_equivalent is not None:
            answer["fiat_equivalent"] = convert(least, "usd", fiat_equivalent)
        return JsResponse(answer)

    @router.get("/estimate")
    async def estimate(
        amount: Amount, currency_from: Currency, currency_to: Currency
    ) -> JsResponse:
        return JsResponse(
            {
                "currency_from": currency_from,
                "amount_from": amount,
                "currency_to": currency_to,
                # A number in the documentation, a string live.
                "estimated_amount": f"{convert(amount, currency_from, currency_to):f}",
            }
        )


def _least_usd(currency: str) -> Decimal:
    coin = COINS.get(currency)
    return coin.minimum_usd if coin else min(coin.minimum_usd for coin in COINS.values())


def _limits(coin: Coin) -> dict[str, Any]:
    return {
        "currency": coin.code,
        "min_amount": rounded(coin.minimum_usd / coin.usd),
        "max_amount": rounded(HIGHEST_USD / coin.usd),
    }


def _full(number: int, coin: Coin) -> dict[str, Any]:
    return {
        "id": number,
        "code": coin.code.upper(),
        "name": coin.name,
        "enable": True,
        "wallet_regex": f"^{coin.address}[A-Za-z0-9]+$",
        "priority": number,
        "extra_id_exists": coin.has_extra_id,
        "extra_id_regex": "^[0-9]+$" if coin.has_extra_id else None,
        "logo_url": f"/images/coins/{coin.code}.svg",
        "track": True,
        "cg_id": coin.code,
        "is_maxlimit": False,
        "network": coin.network,
        "smart_contract": None,
        "network_precision": str(coin.precision),
        "ticker": coin.code,
        "precision": coin.precision,
        "extra_id_optional": not coin.has_extra_id,
        "available_for_payment": True,
        "available_for_payout": True,
        "is_popular": number <= 3,  # noqa: PLR2004 - the first three
        "is_stable": coin.is_stable,
    }
