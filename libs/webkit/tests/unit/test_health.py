import asyncio
from collections.abc import Mapping

import httpx
from fastapi import FastAPI
from webkit.health import Check, health_router


async def good() -> None: ...


async def bad() -> None:
    raise ConnectionError("no route to postgresql://user:hunter22@host")


async def slow() -> None:
    await asyncio.sleep(60)


async def ask(path: str, checks: Mapping[str, Check]) -> httpx.Response:
    app = FastAPI()
    app.include_router(health_router(checks, deadline_s=0.05))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.get(path)


async def test_ready_when_every_check_passes() -> None:
    response = await ask("/health/ready", {"database": good, "schema": good})

    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": "ok", "schema": "ok"}}


async def test_not_ready_while_a_check_fails_and_only_its_name_is_shown() -> None:
    response = await ask("/health/ready", {"database": bad, "schema": good})

    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "checks": {"database": "failed", "schema": "ok"},
    }


async def test_checks_that_hang_are_given_up_together_at_the_deadline() -> None:
    async with asyncio.timeout(2):
        response = await ask("/health/ready", {"one": slow, "two": slow})

    assert response.status_code == 503
    assert response.json()["checks"] == {"one": "timed out", "two": "timed out"}


async def test_live_asks_nothing_outside_the_process() -> None:
    response = await ask("/health/live", {"database": bad})

    assert response.status_code == 200


async def test_a_service_without_checks_is_ready() -> None:
    assert (await ask("/health/ready", {})).status_code == 200
