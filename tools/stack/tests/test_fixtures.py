import smtplib

import aioboto3
import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from stack.endpoints import KafkaServer, ObjectStore
from stack.fixtures import NewDatabase
from stack.mailboxes import Mailbox, wait_for_mails


async def test_new_databases_are_empty_and_apart(new_database: NewDatabase) -> None:
    first = await asyncpg.connect(new_database())
    await first.execute("CREATE TABLE thing (id int)")

    second = await asyncpg.connect(new_database())

    assert await second.fetchval("SELECT to_regclass('thing')") is None
    await first.close()
    await second.close()


async def test_database_copies_its_template(new_database: NewDatabase) -> None:
    template = new_database()
    connection = await asyncpg.connect(template)
    await connection.execute("CREATE TABLE thing AS SELECT 7 AS id")
    await connection.close()

    copy = await asyncpg.connect(new_database(template=template))

    assert await copy.fetchval("SELECT id FROM thing") == 7
    await copy.close()


@pytest.mark.integration
async def test_broker_carries_a_message(kafka: KafkaServer) -> None:
    kafka.create_topics(["stack.fixtures"])
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers, acks="all")
    consumer = AIOKafkaConsumer(
        "stack.fixtures",
        bootstrap_servers=kafka.bootstrap_servers,
        group_id="fixtures",
        auto_offset_reset="earliest",
    )

    async with producer, consumer:
        await producer.send_and_wait("stack.fixtures", b"hello", key=b"order")
        message = await consumer.getone()

    assert message.value == b"hello"


async def test_object_store_refuses_to_overwrite_on_condition(s3: ObjectStore) -> None:
    session = aioboto3.Session()
    async with session.client(
        "s3",
        endpoint_url=s3.endpoint_url,
        aws_access_key_id=s3.access_key_id,
        aws_secret_access_key=s3.secret_access_key,
        region_name=s3.region,
    ) as client:
        await client.put_object(Bucket=s3.bucket, Key="once", Body=b"1", IfNoneMatch="*")

        with pytest.raises(client.exceptions.ClientError, match="PreconditionFailed"):
            await client.put_object(Bucket=s3.bucket, Key="once", Body=b"2", IfNoneMatch="*")


async def test_mail_arrives_with_its_envelope(mailbox: Mailbox) -> None:
    with smtplib.SMTP(mailbox.host, mailbox.port) as smtp:
        smtp.sendmail("shop@bitloot.test", ["ann@example.com"], b"Subject: Hello\r\n\r\nYour key")

    mails = await wait_for_mails(mailbox, "ann@example.com")

    assert [(mail.subject, mail.text.strip()) for mail in mails] == [("Hello", "Your key")]
