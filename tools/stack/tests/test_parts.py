import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import boto3
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from stack.errors import PartFailed, StackError
from stack.parts.backup import back_up, restore
from stack.parts.broker_choice import Broker, choose_broker
from stack.parts.databases import Login, ensure_database
from stack.parts.kafka_client import create_topics, touch_topics
from stack.parts.kafka_librdkafka import LibrdkafkaBroker
from stack.parts.postgres import Postgres
from stack.parts.s3 import BUCKET, REGION, S3
from stack.parts.unprivileged import Rights, rights
from stack.ports import free_port
from stack.processes import ProcessFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def postgres(processes: ProcessFolder) -> Iterator[Postgres]:
    server = Postgres(processes, port=free_port(), password="it's @ password/")
    server.start()
    yield server
    server.stop(at_once=True)


async def test_killed_postgres_keeps_what_was_committed(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    await connection.close()

    await asyncio.to_thread(postgres.stop, at_once=True)
    await asyncio.to_thread(postgres.start)

    connection = await asyncpg.connect(postgres.url)
    assert await connection.fetchval("SELECT id FROM kept") == 1
    await connection.close()


async def test_service_reaches_its_own_database_and_no_other(postgres: Postgres) -> None:
    orders = ensure_database(postgres.url, Login("orders", "a"))
    delivery = ensure_database(postgres.url, Login("delivery", "b"))

    foreign = orders.removesuffix("/orders") + "/delivery"

    await (await asyncpg.connect(delivery)).close()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(foreign)


async def test_restored_database_is_as_it_was_and_belongs_to_its_owner(
    postgres: Postgres, tmp_path: Path
) -> None:
    url = ensure_database(postgres.url, Login("orders", "a"))
    owner = await asyncpg.connect(url)
    await owner.execute("CREATE TABLE kept AS SELECT 1 AS id")
    back_up(postgres.url, "orders", tmp_path / "backup")
    await owner.execute("UPDATE kept SET id = 2")  # and the owner stays connected

    restore(postgres.url, "orders", tmp_path / "backup")

    owner = await asyncpg.connect(url)
    assert await owner.fetchval("SELECT id FROM kept") == 1
    await owner.execute("DROP TABLE kept")
    await owner.close()


def test_backup_that_cannot_be_taken_says_why(postgres: Postgres, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"pg_dump failed.*does not exist"):
        back_up(postgres.url, "nowhere", tmp_path / "backup")


def test_database_is_made_once(postgres: Postgres) -> None:
    login = Login("orders", "a")

    assert ensure_database(postgres.url, login) == ensure_database(postgres.url, login)


@pytest.mark.skipif(rights() is Rights.OWN, reason="only root can give up root's rights")
def test_postgres_runs_as_nobody_where_namespaces_are_forbidden(processes: ProcessFolder) -> None:
    for way in (Rights.NOBODY, Rights.NAMESPACE):
        server = Postgres(processes, port=free_port(), password="p", run_as=way)
        server.start()
        server.stop()

    assert (processes.folder / "postgres").stat().st_uid == 0


def test_postgres_that_cannot_start_says_why(processes: ProcessFolder) -> None:
    taken = Postgres(processes, port=1, password="p", durable=False)

    with pytest.raises(PartFailed, match="ended at once"):
        taken.start()


def bucket_of(server: S3) -> Any:
    resource = boto3.resource(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        region_name=REGION,
    )
    return resource.Bucket(BUCKET)


def test_objects_outlive_the_server(processes: ProcessFolder) -> None:
    server = S3(processes, port=free_port())
    server.start()
    bucket_of(server).put_object(Key="some key/ü", Body=b"sealed", Metadata={"version": "1"})

    server.stop(at_once=True)
    server.start()

    kept = bucket_of(server).Object("some key/ü").get()
    assert (kept["Body"].read(), kept["Metadata"]) == (b"sealed", {"version": "1"})
    server.stop(at_once=True)


def test_journal_that_a_crash_cut_off_is_read_up_to_there(processes: ProcessFolder) -> None:
    server = S3(processes, port=free_port())
    server.start()
    bucket_of(server).put_object(Key="before", Body=b"1")
    server.stop(at_once=True)
    with (processes.folder / "s3" / "journal.jsonl").open("a") as file:
        file.write('{"method": "PUT", "url": "/')

    server.start()
    bucket_of(server).put_object(Key="after", Body=b"2")
    server.stop(at_once=True)
    server.start()

    assert {entry.key for entry in bucket_of(server).objects.all()} == {"before", "after"}
    server.stop(at_once=True)


async def send_and_receive(address: str, topic: str, body: bytes) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, group_id="test", auto_offset_reset="earliest"
    )
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer, consumer:
        await producer.send_and_wait(topic, body, key=b"k")
        seen = [(await consumer.getone()).value]
        await consumer.commit()
    return seen


@pytest.mark.kafka
async def test_killed_broker_keeps_messages_topics_and_offsets(own_kafka: Broker) -> None:
    await asyncio.to_thread(own_kafka.start)
    create_topics(own_kafka.bootstrap_servers, ["kept"])
    first = await send_and_receive(own_kafka.bootstrap_servers, "kept", b"one")

    await asyncio.to_thread(own_kafka.stop, at_once=True)
    await asyncio.to_thread(own_kafka.start)

    second = await send_and_receive(own_kafka.bootstrap_servers, "kept", b"two")
    assert (first, second) == ([b"one"], [b"two"])


async def test_librdkafka_broker_carries_messages(processes: ProcessFolder) -> None:
    broker = LibrdkafkaBroker(processes)
    await asyncio.to_thread(broker.start)
    touch_topics(broker.bootstrap_servers, ["topic"])

    assert await send_and_receive(broker.bootstrap_servers, "topic", b"one") == [b"one"]


def test_unknown_broker_is_refused(
    processes: ProcessFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA", "redpanda")

    with pytest.raises(StackError, match="KAFKA must be apache or librdkafka"):
        choose_broker(processes)


def test_librdkafka_is_announced_loudly_with_the_reason(
    processes: ProcessFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KAFKA", raising=False)

    choice = choose_broker(processes)

    assert choice.kind == "librdkafka"
    assert "NOT APACHE KAFKA" in str(choice.warning)
    assert "Java is not installed" in str(choice.warning)


def test_forced_apache_without_java_is_an_error(
    processes: ProcessFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("KAFKA", "apache")

    with pytest.raises(StackError, match=r"KAFKA=apache, but .* Java is not installed"):
        choose_broker(processes)
