"""What each API call passes before its endpoint: latency, refusals on demand, the API key."""

import asyncio
import random

from fastapi import Request

from nowpayments_simulator.bearer import Account
from nowpayments_simulator.errors import ApiError
from nowpayments_simulator.faults import FaultPanel


class Gate:
    """The checks in front of the API; `dice` decides which calls of a share are refused."""

    def __init__(self, account: Account, panel: FaultPanel, dice: random.Random) -> None:
        self._account = account
        self._panel = panel
        self._dice = dice

    async def misbehave(self) -> None:
        """Wait and refuse as the faults in force say."""
        faults = self._panel.current
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        if faults.refuses_call(self._dice):
            raise ApiError(faults.error_status, "INTERNAL_ERROR", "Refused on purpose by a fault")

    async def check_key(self, request: Request) -> None:
        """Refuse a call without the account's `x-api-key`."""
        if not self._account.has_key(request.headers.get("x-api-key")):
            raise ApiError(403, "INVALID_API_KEY", "Invalid api key")

    def lose_answer(self) -> None:
        """After the work of a POST: answer 500 nevertheless, if a fault says so."""
        if self._panel.current.loses_answer():
            raise ApiError(500, "INTERNAL_ERROR", "Carried out, but the answer is lost on purpose")
