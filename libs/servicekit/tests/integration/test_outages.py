"""Kafka and PostgreSQL go away and come back; the service stays, or ends in time."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from uuid import UUID

import pytest
from contracts import PaymentConfirmed, Topic
from contracts.testing import a_payment_confirmed
from foundation.sealing import new_key_pair, new_secret
from foundation.settings import ServiceSettings
from foundation.testing import FixedClock
from persistence.database import Database, Transaction, is_transient
from persistence.migrations import create_runtime_tables
from pydantic import SecretStr
from servicekit.consumer import Consumer
from servicekit.jobs import Job, JobRunner, Settle, schedule
from servicekit.outbox import emit
from servicekit.runtime import Runtime, Service
from sqlalchemy import Connection, text
from stack.endpoints import KafkaServer
from stack.parts.broker_choice import Broker
from stack.parts.kafka_client import create_topics
from stack.parts.postgres import Postgres
from stack.ports import free_port
from stack.processes import ProcessFolder

pytestmark = pytest.mark.integration

STOP_S = 25


class Journal:
    """Remembers what it handled and performed."""

    def __init__(self) -> None:
        self.seen: list[UUID] = []
        self.performed: list[str] = []

    async def handle(self, _transaction: Transaction, message: PaymentConfirmed) -> None:
        self.seen.append(message.id)

    async def give_up(self, _transaction: Transaction, order: UUID | None, reason: str) -> None:
        raise AssertionError(f"{order} was given up: {reason}")

    async def perform(self, job: Job) -> Settle:
        async def settle(_transaction: Transaction) -> None:
            self.performed.append(job.subject)

        return settle


@asynccontextmanager
async def running(
    bootstrap_servers: str, url: SecretStr, journal: Journal
) -> AsyncIterator[Database]:
    database, clock = Database.connect(url), FixedClock()
    service = Service(
        package="journal",
        settings=ServiceSettings(
            environment="development", database_url=url, kafka_bootstrap_servers=bootstrap_servers
        ),
        database=database,
        consumers=(Consumer(PaymentConfirmed, "journal", journal.handle, journal.give_up),),
        jobs=(JobRunner("work", journal.perform, database=database, clock=clock),),
        clock=clock,
    )
    async with Runtime(service).running():
        yield database
    await database.dispose()


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  another task or process makes it true
            await asyncio.sleep(0.05)


async def send(database: Database) -> UUID:
    message = a_payment_confirmed()
    async with database.transaction() as transaction:
        await emit(transaction, message)
    return message.id


@pytest.fixture
async def deaths() -> AsyncIterator[list[int]]:
    """SIGTERMs that a background task sent to this process at its death."""
    received: list[int] = []
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, received.append, signal.SIGTERM)
    yield received
    loop.remove_signal_handler(signal.SIGTERM)


@pytest.mark.kafka
async def test_kafka_that_comes_late_is_joined(own_kafka: Broker, database_url: SecretStr) -> None:
    journal = Journal()
    async with running(own_kafka.bootstrap_servers, database_url, journal) as database:
        sent = await send(database)
        await asyncio.sleep(3)
        await asyncio.to_thread(own_kafka.start)
        create_topics(own_kafka.bootstrap_servers, [Topic.PAYMENT_CONFIRMED])

        await until(lambda: sent in journal.seen)

        assert journal.seen == [sent]


@pytest.mark.kafka
async def test_kafka_that_restarts_is_joined_again(
    own_kafka: Broker, database_url: SecretStr
) -> None:
    journal = Journal()
    await asyncio.to_thread(own_kafka.start)
    create_topics(own_kafka.bootstrap_servers, [Topic.PAYMENT_CONFIRMED])
    async with running(own_kafka.bootstrap_servers, database_url, journal) as database:
        first = await send(database)
        await until(lambda: first in journal.seen)

        await asyncio.to_thread(own_kafka.stop, at_once=True)
        second = await send(database)
        await asyncio.sleep(8)
        await asyncio.to_thread(own_kafka.start)
        await until(lambda: second in journal.seen)

        assert journal.seen == [first, second]


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    postgres = Postgres(ProcessFolder(tmp_path), port=free_port(), password="secret", durable=False)
    postgres.start()
    yield postgres
    postgres.stop(at_once=True)


async def create_tables(url: SecretStr) -> None:
    class Operations:
        def __init__(self, connection: Connection) -> None:
            self.get_bind = lambda: connection
            self.execute = lambda statement: connection.execute(text(statement))

    database = Database.connect(url)
    async with database.transaction() as transaction:
        await transaction.run_sync(lambda sync: create_runtime_tables(Operations(sync)))
    await database.dispose()


async def test_postgres_restart_stops_no_background_task(
    own_postgres: Postgres, kafka: KafkaServer, deaths: list[int]
) -> None:
    kafka.create_topics([Topic.PAYMENT_CONFIRMED])
    url, journal = SecretStr(own_postgres.url), Journal()
    await create_tables(url)
    async with running(kafka.bootstrap_servers, url, journal) as database:
        for _ in range(2):
            sent = await send(database)
            await until(lambda sent=sent: sent in journal.seen)  # type: ignore[misc]
            await asyncio.to_thread(own_postgres.stop)
            await asyncio.sleep(4)
            await asyncio.to_thread(own_postgres.start)
        async with database.transaction() as transaction:
            await schedule(transaction, "work", "after", FixedClock().now())
        await until(lambda: journal.performed == ["after"])
        sent = await send(database)
        await until(lambda: sent in journal.seen)

    assert deaths == []


async def test_service_ends_while_postgres_is_away(
    own_postgres: Postgres, kafka: KafkaServer
) -> None:
    kafka.create_topics([Topic.PAYMENT_CONFIRMED])
    url, journal = SecretStr(own_postgres.url), Journal()
    await create_tables(url)
    async with running(kafka.bootstrap_servers, url, journal) as database:
        sent = await send(database)
        await until(lambda: sent in journal.seen)
        await asyncio.to_thread(own_postgres.stop)

    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("jobs.")]


@pytest.mark.parametrize("state", ["57P03", "53300"])
async def test_server_that_is_starting_or_full_is_a_passing_failure(state: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1024)
        body = b"SFATAL\0VFATAL\0C" + state.encode() + b"\0Mnot now\0\0"
        writer.write(b"E" + (len(body) + 4).to_bytes(4, "big") + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = SecretStr(f"postgresql://a:b@127.0.0.1:{port}/c?ssl=disable")
        database = Database.connect(url)
        with pytest.raises(Exception) as raised:  # noqa: PT011  any: that is the question
            await database.ping()
        await database.dispose()

    assert is_transient(raised.value), repr(raised.value)


@contextmanager
def serving(
    database_url: str, bootstrap_servers: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "development",
        "DATABASE_URL": database_url,
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "HPKE_PUBLIC_KEY": new_key_pair().public,
        "FINGERPRINT_PEPPER": new_secret().get_secret_value(),
        "HOST": "127.0.0.1",
        "PORT": str(port),
    }
    command = [sys.executable, "-m", "fulfillment_custom"]
    subprocess.run([*command, "migrate"], env=environment, check=True)
    process = subprocess.Popen([*command, "serve"], env=environment)
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


def wait_ready(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=3):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def seconds_to_end(process: subprocess.Popen[bytes]) -> float:
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    return time.monotonic() - started


def test_sigterm_ends_a_service_that_never_had_kafka(new_database: Callable[[], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = f"127.0.0.1:{silent.getsockname()[1]}"
        with serving(new_database(), servers) as (process, port):
            wait_ready(port)
            time.sleep(2)

            assert seconds_to_end(process) < STOP_S


@pytest.mark.kafka
def test_sigterm_ends_a_service_that_lost_kafka(
    own_kafka: Broker, new_database: Callable[[], str]
) -> None:
    own_kafka.start()
    create_topics(own_kafka.bootstrap_servers, list(Topic))
    url = new_database()
    with serving(url, own_kafka.bootstrap_servers) as (process, port):
        wait_ready(port)
        time.sleep(8)
        own_kafka.stop(at_once=True)
        asyncio.run(_leave_a_message(SecretStr(url)))
        time.sleep(4)

        assert seconds_to_end(process) < STOP_S
        assert _lease_is_free(SecretStr(url))


async def _leave_a_message(url: SecretStr) -> None:
    database = Database.connect(url)
    await send(database)
    await database.dispose()


def _lease_is_free(url: SecretStr) -> bool:
    async def look() -> object:
        database = Database.connect(url)
        async with database.transaction() as transaction:
            owner = await transaction.scalar(text("SELECT owner FROM outbox_lease"))
        await database.dispose()
        return owner

    return asyncio.run(look()) is None
