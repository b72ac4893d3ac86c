"""Calls to Kinguin over HTTP: limits, deadlines, and errors of ours instead of httpx's.

A POST is sent once. A GET is tried twice; longer waits are the job rows'. Answers are
taken as hostile: a size limit, no redirects, JSON with exact numbers.
"""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, NoReturn

import backoff
import httpx
from aiolimiter import AsyncLimiter
from foundation.clock import Clock
from foundation.crash import crash_point
from pydantic import SecretStr

from fulfillment_kinguin.adapters.kinguin_errors import read_error
from fulfillment_kinguin.errors import Unclear, UnreadableAnswer

CONNECT_S: Final = 3.0
POST_S: Final = 20.0
GET_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
"""A page of a hundred picture keys is far below this."""
GET_TRIES: Final = 2
_RETRY_S: Final = 0.5
_LONGEST_INLINE_WAIT_S: Final = 2.0
_MAX_CONNECTIONS: Final = 40


def kinguin_client(base_url: str, api_key: SecretStr) -> httpx.AsyncClient:
    """The pooled client; whoever builds the service opens and closes it."""
    return httpx.AsyncClient(
        base_url=_without_version(base_url),
        headers={"X-Api-Key": api_key.get_secret_value(), "Accept": "application/json"},
        limits=httpx.Limits(max_connections=_MAX_CONNECTIONS),
        follow_redirects=False,
    )


def _without_version(base_url: str) -> str:
    # A common mistake: both versions are appended to the base, neither belongs to it.
    stripped = base_url.rstrip("/")
    return stripped.removesuffix("/v1").removesuffix("/v2")


def _inline_wait_s(error: Unclear) -> float:
    return error.retry_after_s if error.retry_after_s is not None else _RETRY_S


def _is_for_later(error: Exception) -> bool:
    return isinstance(error, Unclear) and _inline_wait_s(error) > _LONGEST_INLINE_WAIT_S


class KinguinHttp:
    """GET and POST of one account, at most so many a second."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, *, requests_per_second: float
    ) -> None:
        self._client = client
        self._clock = clock
        burst = max(1.0, requests_per_second)
        self._limiter = AsyncLimiter(burst, burst / requests_per_second)

    async def wait_for_turn(self) -> None:
        """Wait for what `requests_per_second` allows; `get` does so by itself, `post` does not."""
        await self._limiter.acquire()

    @backoff.on_exception(
        backoff.runtime,
        Unclear,
        value=_inline_wait_s,
        max_tries=GET_TRIES,
        jitter=backoff.full_jitter,
        giveup=_is_for_later,
        logger=None,
    )
    async def get(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The JSON of a 200.

        Raises:
            SupplierError: as the answer says; `Unclear` without one.
        """
        await self.wait_for_turn()
        return await self._send(self._request("GET", path, GET_S, params=params), GET_S, 200)

    async def post(
        self, path: str, body: Mapping[str, Any] | None, *, expected: int = HTTPStatus.CREATED
    ) -> Any:
        """The JSON of a success, after exactly one request that goes out at once.

        Raises:
            SupplierError: as the answer says; `Unclear` for every answer that is not sure.
        """
        return await self._send(self._request("POST", path, POST_S, json=body), POST_S, expected)

    def _request(self, method: str, path: str, total_s: float, **content: Any) -> httpx.Request:
        timeout = httpx.Timeout(total_s, connect=CONNECT_S)
        return self._client.build_request(method, path, timeout=timeout, **content)

    async def _send(self, request: httpx.Request, total_s: float, expected: int) -> Any:
        try:
            async with asyncio.timeout(total_s):
                response = await self._client.send(request, stream=True)
                if request.method == "POST":
                    crash_point("kinguin.reply_unread")
                try:
                    body = await _read_limited(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unclear(f"no answer: {type(error).__name__}") from error
        if response.status_code != expected:
            self._refuse(response, body)
        return _parse(body)

    def _refuse(self, response: httpx.Response, body: bytes) -> NoReturn:
        try:
            parsed = _parse(body)
        except UnreadableAnswer:
            parsed = None
        status = response.status_code
        if status < HTTPStatus.BAD_REQUEST:
            raise UnreadableAnswer(f"HTTP {status} was not expected")
        raise read_error(status, parsed, response.headers.get("Retry-After"), self._clock.now())


async def _read_limited(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise UnreadableAnswer(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(body)


def _parse(body: bytes) -> Any:
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise UnreadableAnswer("the answer is no JSON") from None  # the cause holds its text


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
