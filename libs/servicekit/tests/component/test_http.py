"""What a caller reads when the database cannot do its part just now."""

from uuid import uuid4

import httpx
from fastapi import APIRouter
from foundation.settings import ServiceSettings
from persistence.database import Database
from pydantic import SecretStr
from servicekit.runtime import Service, create_app
from stack.ports import free_port


async def test_request_while_postgres_is_away_is_asked_to_come_again() -> None:
    url = SecretStr(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    database, router = Database.connect(url), APIRouter()

    @router.put("/things/{name}")
    async def put(name: str) -> None:
        async with database.transaction():
            raise AssertionError(f"{name} was put")

    settings = ServiceSettings(
        environment="development", database_url=url, kafka_bootstrap_servers="127.0.0.1:1"
    )
    service = Service(package="journal", settings=settings, database=database, routers=[router])
    transport = httpx.ASGITransport(create_app(service))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        answer = await http.put(f"/things/{uuid4()}")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json()["detail"] == "This is busy just now; please try again."
