"""Posts to the shop over kept connections.

httpx is loaded with the first post, not at start: that halves the time until
the simulator answers.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)


class Poster:
    """One HTTP client, made when it is first needed."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def post(
        self, url: str, content: bytes, headers: dict[str, str], deadline_s: float
    ) -> bool:
        """Whether `url` took `content` with a 2xx answer within `deadline_s` seconds."""
        import httpx

        if self._client is None:
            self._client = httpx.AsyncClient(trust_env=False)
        try:
            response = await self._client.post(
                url, content=content, headers=headers, timeout=deadline_s
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            log.info("post not taken: %s", type(error).__name__)
            return False
        return response.is_success

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
