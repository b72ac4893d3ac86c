"""`/v1/status` and `/v1/auth`: the two calls that need no API key."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Depends

from nowpayments_simulator.bearer import Account
from nowpayments_simulator.gate import Gate
from nowpayments_simulator.js_response import JsResponse
from nowpayments_simulator.requests import AuthRequest


def account_router(account: Account, gate: Gate, now: Callable[[], datetime]) -> APIRouter:
    """Status and log-in."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(gate.misbehave)])

    @router.get("/status")
    async def status() -> JsResponse:
        return JsResponse({"message": "OK"})

    @router.post("/auth")
    async def auth(body: AuthRequest) -> JsResponse:
        return JsResponse({"token": account.log_in(body, now())})

    return router
