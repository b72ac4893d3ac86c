"""The one retry outside job rows: reads that change nothing are tried twice.

The only module here that knows the `backoff` package.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import backoff

from payments.errors import GatewayUnavailable

T = TypeVar("T")

LONGEST_WAIT_S: Final = 1.0


async def read_twice(read: Callable[[], Awaitable[T]]) -> T:
    """Read, and once more after a short random wait when the gateway did not answer.

    Raises:
        GatewayUnavailable: neither try brought an answer.
    """
    try:
        return await read()
    except GatewayUnavailable:
        await asyncio.sleep(backoff.full_jitter(LONGEST_WAIT_S))
    return await read()
