"""Payments as a process: real Kafka and PostgreSQL, the gateway's stand-in, kill -9."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from contracts import Message, OrderPlaced, PaymentConfirmed, PaymentState, PaymentUpdated, Topic
from foundation.clock import SystemClock, new_id
from payments.adapters.tables import ipns, refundables
from payments.settings import PaymentsSettings
from payments.testing import IPN_SECRET, an_ipn, an_order, signed
from persistence.database import Database
from stack.endpoints import KafkaServer
from stack.parts.broker_choice import Broker

pytestmark = pytest.mark.integration
TOPICS = [
    Topic.ORDER_PLACED,
    Topic.ORDER_CANCELLED,
    Topic.PAYMENT_ACCEPTED,
    Topic.PAYMENT_UPDATED,
    Topic.PAYMENT_CONFIRMED,
]
KAFKA_AWAY = "127.0.0.1:9"


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def environment(settings: PaymentsSettings, simulator_url: str, port: int) -> dict[str, str]:
    return {
        "ENVIRONMENT": "development",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "KAFKA_BOOTSTRAP_SERVERS": KAFKA_AWAY,
        "NOWPAYMENTS_API_URL": f"{simulator_url}/v1",
        "NOWPAYMENTS_API_KEY": "test-api-key",
        "NOWPAYMENTS_IPN_SECRETS": f"a-newer-secret-for-later,{IPN_SECRET}",
        "NOWPAYMENTS_EMAIL": "shop@bitloot.test",
        "NOWPAYMENTS_PASSWORD": "test-password",
        "IPN_CALLBACK_URL": f"http://127.0.0.1:{port}/webhooks/nowpayments",
        "STOREFRONT_URL": "http://127.0.0.1:8000",
        "RECONCILE_FIRST_SECONDS": "1",
    }


@pytest.fixture
def own_broker(own_kafka: Broker) -> KafkaServer:
    """One for each test: services of one group on one broker share its messages."""
    own_kafka.start()
    server = KafkaServer(own_kafka.bootstrap_servers, own_kafka.kind, own_kafka.version)
    server.create_topics(TOPICS)
    return server


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "payments", "serve"]
    with subprocess.Popen(command, env=os.environ | environment) as process:
        try:
            yield process
        finally:
            process.terminate()


@asynccontextmanager
async def reached(environment: dict[str, str]) -> AsyncIterator[httpx.AsyncClient]:
    url = f"http://127.0.0.1:{environment['PORT']}"
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        async with asyncio.timeout(30):
            while not await _is_ready(client):  # noqa: ASYNC110  another process
                await asyncio.sleep(0.05)
        yield client


async def _is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False


async def rows(settings: PaymentsSettings, table: sa.Table) -> list[Any]:
    database = Database.connect(settings.database_url, pool_size=1)
    async with database.transaction() as transaction:
        found = list((await transaction.execute(sa.select(table))).all())
    await database.dispose()
    return found


class Orders:
    """The other side of the topics."""

    def __init__(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        self._consumer = consumer
        self._producer = producer
        self.heard: list[PaymentUpdated | PaymentConfirmed] = []

    @classmethod
    @asynccontextmanager
    async def listening(cls, kafka: KafkaServer) -> AsyncIterator["Orders"]:
        consumer = AIOKafkaConsumer(
            Topic.PAYMENT_UPDATED,
            Topic.PAYMENT_CONFIRMED,
            bootstrap_servers=kafka.bootstrap_servers,
            auto_offset_reset="earliest",
            group_id=str(new_id()),
        )
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
        async with consumer, producer:
            yield cls(consumer, producer)

    async def send(self, message: Message) -> None:
        body = message.model_dump_json().encode()
        await self._producer.send_and_wait(message.topic, body, key=message.key.encode())

    async def hear(self, order: OrderPlaced, *, confirmed: bool = False) -> None:
        """Listen until the order's invoice is ready, or its money confirmed."""
        async with asyncio.timeout(60):
            async for record in self._consumer:
                if record.key != order.key.encode():
                    continue  # other tests use the broker, too, and not only for good messages
                kind = PaymentConfirmed if record.topic == Topic.PAYMENT_CONFIRMED else None
                message = (kind or PaymentUpdated).model_validate_json(record.value or b"")
                self.heard.append(message)
                if bool(kind) == confirmed:
                    return


def an_order_of_now() -> OrderPlaced:
    now = SystemClock().now()
    return an_order().model_copy(update={"occurred_at": now, "expires_at": now.replace(year=2100)})


@pytest.mark.parametrize("ipns_are_lost", [False, True], ids=["ipns arrive", "ipns are lost"])
async def test_order_is_invoiced_paid_and_confirmed(
    own_broker: KafkaServer,
    environment: dict[str, str],
    simulator: httpx.AsyncClient,
    settings: PaymentsSettings,
    *,
    ipns_are_lost: bool,
) -> None:
    order = an_order_of_now()
    how = {"repeat": 3, "shuffle": True, "child_deposit": True, "send_ipn": not ipns_are_lost}
    with serving(environment | {"KAFKA_BOOTSTRAP_SERVERS": own_broker.bootstrap_servers}):
        async with reached(environment), Orders.listening(own_broker) as orders:
            await orders.send(order)
            await orders.hear(order)
            ledger = (await simulator.get("/_simulator/ledger")).json()
            [invoice] = ledger["invoices"]
            await simulator.post(
                f"/_simulator/invoices/{invoice['invoice_id']}/pay",
                json={"outcome": "finished", **how},
            )
            await orders.hear(order, confirmed=True)
            async with asyncio.timeout(30):
                while not await rows(settings, refundables):  # noqa: ASYNC110  another process
                    await asyncio.sleep(0.1)

    assert invoice["order_id"] == str(order.order_id)
    [ready, *_, confirmed] = orders.heard
    assert isinstance(ready, PaymentUpdated)
    assert ready.state is PaymentState.INVOICE_READY
    assert isinstance(confirmed, PaymentConfirmed)
    assert confirmed.price == order.total
    assert len(await rows(settings, refundables)) == 1
    assert bool(await rows(settings, ipns)) is not ipns_are_lost


@pytest.mark.parametrize(
    ("point", "stored"),
    [("before_insert", 1), ("after_insert", 1), ("after_commit", 2)],
)
async def test_notification_sent_again_after_a_kill_is_not_lost_and_counts_once(
    environment: dict[str, str], settings: PaymentsSettings, point: str, stored: int
) -> None:
    body = an_ipn(new_id())
    with serving(environment | {"CRASH_POINT": f"payments.{point}"}) as process:
        async with reached(environment) as client:
            with pytest.raises(httpx.TransportError):
                await client.post("/webhooks/nowpayments", content=body, headers=signed(body))
        assert process.wait(10) == -signal.SIGKILL

    with serving(environment):
        async with reached(environment) as client:
            answer = await client.post("/webhooks/nowpayments", content=body, headers=signed(body))

    assert answer.status_code == 200
    assert len(await rows(settings, ipns)) == stored


async def test_notifications_are_taken_while_kafka_is_away(
    environment: dict[str, str], settings: PaymentsSettings
) -> None:
    body = an_ipn(new_id())
    with serving(environment):
        async with reached(environment) as client:
            answers = [
                await client.post("/webhooks/nowpayments", content=body, headers=signed(body))
                for _ in range(20)
            ]

    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 1
    assert len(await rows(settings, ipns)) == 20
