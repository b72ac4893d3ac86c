"""The running service on a real broker and against the simulator, and killed in between."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from contracts import FulfillmentRequestedKinguin, KeyReady, Topic
from foundation.sealing import open_game_key
from foundation.settings import encode_base64url
from fulfillment_kinguin.adapters.tables import purchases
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import DELIVERY_RING, SIGNER, FakeSupplier, a_request
from persistence.database import Database
from persistence.tables import jobs, outbox
from servicekit.runtime import create_app
from servicekit.testing import ServiceHarness
from stack.endpoints import KafkaServer

pytestmark = pytest.mark.integration
DEADLINE_S = 60


async def ledger(simulator: str) -> list[dict[str, object]]:
    async with httpx.AsyncClient(base_url=simulator) as client:
        orders: list[dict[str, object]] = (await client.get("/_simulator/ledger")).json()["orders"]
    return orders


async def test_request_on_kafka_becomes_keys_on_kafka(
    kafka: KafkaServer, settings: KinguinSettings, simulator: str
) -> None:
    kafka.create_topics(list(Topic))  # the service waits until all that it reads are there
    service = build_service(
        settings.model_copy(
            update={
                "kafka_bootstrap_servers": kafka.bootstrap_servers,
                "kinguin_api_url": f"{simulator}/esa/api",
            }
        )
    )
    request = a_request(quantity=2)
    app = create_app(service)

    async with app.router.lifespan_context(app):
        await send(kafka, request)
        ready = await receive(kafka, request)

    assert len({open_game_key(DELIVERY_RING, key).text() for key in ready.keys}) == 2
    assert len(await ledger(simulator)) == 1


async def send(kafka: KafkaServer, request: FulfillmentRequestedKinguin) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    try:
        body = request.model_dump_json().encode()
        for _ in range(2):  # at least once
            await producer.send_and_wait(request.topic, body, key=request.key.encode())
    finally:
        await producer.stop()


async def receive(kafka: KafkaServer, request: FulfillmentRequestedKinguin) -> KeyReady:
    consumer = AIOKafkaConsumer(
        Topic.KEY_READY.value,
        bootstrap_servers=kafka.bootstrap_servers,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            async for record in consumer:
                message = KeyReady.model_validate_json(record.value)
                if message.line_id == request.line_id:
                    return message
    finally:
        await consumer.stop()
    raise AssertionError("the topic ended")


def environment(settings: KinguinSettings, simulator: str, **more: str) -> dict[str, str]:
    pepper = encode_base64url(settings.fingerprint_pepper.get_secret_value())
    return {
        **os.environ,
        "ENVIRONMENT": "development",
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "HPKE_PUBLIC_KEY": str(settings.hpke_public_key),
        "FINGERPRINT_PEPPER": pepper,
        "KINGUIN_ENABLED": "true",
        "KINGUIN_API_URL": f"{simulator}/esa/api",
        "KINGUIN_API_KEY": settings.kinguin_api_key.get_secret_value(),
        "KINGUIN_WEBHOOK_SECRET": settings.kinguin_webhook_secret.get_secret_value(),
        "KINGUIN_EUR_USD_RATE": "1.10",
        **more,
    }


@asynccontextmanager
async def process(variables: dict[str, str]) -> AsyncIterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "fulfillment_kinguin", "serve"]
    with subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL) as running:  # noqa: ASYNC220  our own
        try:
            yield running
        finally:
            running.kill()


async def ask(settings: KinguinSettings) -> None:
    """Bring one request into the database, and run nothing of it."""
    service = build_service(settings, None, SIGNER.static_jwks(), FakeSupplier())
    async with ServiceHarness.start(service) as kinguin:
        await kinguin.deliver(a_request())
        await service.database.dispose()


@pytest.mark.parametrize(
    "point", ["kinguin.after_post", "kinguin.after_store", "kinguin.keys_read"]
)
async def test_killed_process_goes_on_and_has_bought_once(
    settings: KinguinSettings, simulator: str, point: str
) -> None:
    await ask(settings)
    database = Database.connect(settings.database_url)
    async with process(environment(settings, simulator, CRASH_POINT=point)) as first:
        code = await asyncio.to_thread(first.wait, DEADLINE_S)
    assert code == -signal.SIGKILL

    await end_leases(database)
    async with process(environment(settings, simulator)):
        await until_ready(database)

    assert len(await ledger(simulator)) == 1
    await database.dispose()


async def test_killed_before_the_post_is_searched_for_and_not_just_posted(
    settings: KinguinSettings, simulator: str
) -> None:
    await ask(settings)
    database = Database.connect(settings.database_url)
    variables = environment(settings, simulator, CRASH_POINT="kinguin.before_post")
    async with process(variables) as first:
        await asyncio.to_thread(first.wait, DEADLINE_S)

    await end_leases(database)
    async with process(environment(settings, simulator)):
        await until(database, sa.select(sa.true()).where(purchases.c.empty_searches >= 1))

    assert await ledger(simulator) == []
    await database.dispose()


async def end_leases(database: Database) -> None:
    """Spare the test the minute after which a dead worker's job is free."""
    async with database.transaction() as transaction:
        await transaction.execute(sa.update(jobs).values(lease_until=None))


async def until_ready(database: Database) -> None:
    await until(database, sa.select(sa.true()).where(outbox.c.topic == Topic.KEY_READY))


async def until(database: Database, query: sa.Select[Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            async with database.transaction() as transaction:
                if await transaction.scalar(query):
                    return
            await asyncio.sleep(0.2)
