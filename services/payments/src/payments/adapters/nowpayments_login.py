"""The bearer token that the list of payments wants; it lives five minutes."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Final

from foundation.clock import Clock
from pydantic import SecretStr

from payments.adapters.nowpayments_http import NowPaymentsHttp
from payments.errors import GatewayUnavailable

KEPT: Final = timedelta(minutes=4)
"""A minute less than it lives, so that none expires on the way."""


class Login:
    """Logs in when a token is needed and none is fresh; many callers share one."""

    def __init__(
        self, http: NowPaymentsHttp, email: SecretStr, password: SecretStr, clock: Clock
    ) -> None:
        self._http = http
        self._email = email
        self._password = password
        self._clock = clock
        self._token: SecretStr | None = None
        self._fresh_until: datetime | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> SecretStr:
        """A token that will be accepted.

        Raises:
            GatewayUnauthorized: the e-mail or the password is wrong.
            GatewayUnavailable: it could not be asked.
        """
        async with self._lock:
            now = self._clock.now()
            if self._token is None or self._fresh_until is None or now >= self._fresh_until:
                self._token = await self._log_in()
                self._fresh_until = now + KEPT
            return self._token

    def forget(self, token: SecretStr) -> None:
        """This one was refused: log in anew next time."""
        if self._token == token:
            self._token = None

    async def _log_in(self) -> SecretStr:
        credentials = {
            "email": self._email.get_secret_value(),
            "password": self._password.get_secret_value(),
        }
        answer = await self._http.call("POST", "/auth", body=json.dumps(credentials))
        answer.raise_for_trouble()
        token = answer.document.get("token") if isinstance(answer.document, dict) else None
        if not isinstance(token, str) or not token.isascii():
            raise GatewayUnavailable("its log-in brought no token")
        return SecretStr(token)
