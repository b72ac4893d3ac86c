"""One HTTP call to NOWPayments: deadlines, a limit on the answer, and what statuses mean."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import SecretStr

from payments.domain.js_json import JsonValue, NotJson, parse_json
from payments.errors import GatewayUnauthorized, GatewayUnavailable

CONNECT_S: Final = 3
TOTAL_S: Final = 10
MAX_ANSWER_BYTES: Final = 1024 * 1024
_UNAUTHORIZED: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and the JSON that came with it; None where it was none."""

    status: int
    document: JsonValue

    def text(self, *names: str) -> str:
        """The first of these fields that holds text, fit for a log line; else nothing."""
        fields = self.document if isinstance(self.document, dict) else {}
        values = (fields.get(name) for name in names)
        found = next((value for value in values if isinstance(value, str)), "")
        return "".join(letter for letter in found if letter.isprintable())[:200]

    def raise_for_trouble(self) -> None:
        """Let a success pass.

        Raises:
            GatewayUnauthorized: a key or a token was refused.
            GatewayUnavailable: anything else that is not 2xx.
        """
        if self.status in _UNAUTHORIZED:
            raise GatewayUnauthorized(f"{self.status} {self.text('code')} {self.text('message')}")
        if not httpx.codes.is_success(self.status):
            raise GatewayUnavailable(f"it answered {self.status} {self.text('code', 'message')}")


def new_http_client(*, use_proxies: bool) -> httpx.AsyncClient:
    """A pool of connections; follows no redirects. Proxies are those of the environment."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(TOTAL_S, connect=CONNECT_S), trust_env=use_proxies
    )


class NowPaymentsHttp:
    """Calls below the base URL, each with the API key."""

    def __init__(self, client: httpx.AsyncClient, base_url: str, api_key: SecretStr) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: str | None = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask once.

        Raises:
            GatewayUnavailable: no answer in 10 s, or one that is too large.
        """
        request = self._client.build_request(
            method,
            f"{self._base_url}{path}",
            content=body,
            params=params,
            headers={
                "x-api-key": self._api_key.get_secret_value(),
                "content-type": "application/json",
                **(headers or {}),
            },
        )
        try:
            async with asyncio.timeout(TOTAL_S):
                return await self._send(request)
        except (httpx.HTTPError, TimeoutError) as error:
            raise GatewayUnavailable(f"no answer: {type(error).__name__}") from error

    async def _send(self, request: httpx.Request) -> Answer:
        response = await self._client.send(request, stream=True)
        try:
            return Answer(response.status_code, _document(await _limited(response)))
        finally:
            await response.aclose()


async def _limited(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER_BYTES:
            raise GatewayUnavailable(f"its answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(content)


def _document(content: bytes) -> JsonValue:
    try:
        return parse_json(content)
    except NotJson:
        return None
