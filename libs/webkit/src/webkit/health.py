"""`/health/live` and `/health/ready`: may the process be killed, may it get requests.

Liveness depends on nothing outside the process; readiness asks the given checks at the
same time, each with a deadline.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

CHECK_DEADLINE_S: Final = 2.0

Check = Callable[[], Awaitable[None]]
"""Returns if all is well and raises otherwise."""

log = structlog.get_logger()


def health_router(checks: Mapping[str, Check], deadline_s: float = CHECK_DEADLINE_S) -> APIRouter:
    """Both endpoints; readiness is 503 while any check raises or passes its deadline."""
    router = APIRouter(prefix="/health", include_in_schema=False)

    @router.get("/live")
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/ready")
    async def ready() -> Response:
        states = await asyncio.gather(*(_state(n, c, deadline_s) for n, c in checks.items()))
        by_name = dict(zip(checks, states, strict=True))
        is_ready = all(state == "ok" for state in states)
        status = "ok" if is_ready else "unavailable"
        return JSONResponse({"status": status, "checks": by_name}, 200 if is_ready else 503)

    return router


async def _state(name: str, check: Check, deadline_s: float) -> str:
    try:
        async with asyncio.timeout(deadline_s):
            await check()
    except TimeoutError:
        return "timed out"
    except Exception as error:  # noqa: BLE001  # whatever a check raises means: not ready
        # The text of the error stays inside: it can name hosts and users.
        log.warning("readiness_check.failed", check=name, error=type(error).__name__)
        return "failed"
    return "ok"
