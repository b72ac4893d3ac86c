"""`bitloot replay`: let a service read a topic again from a moment.

After a database was restored, the messages between the backup and the loss are still on Kafka
for 7 days: reading them again brings their effect back, and what the inbox knows has none. The
service must be stopped, for a running one would put its own place back.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from contracts.topics import PARTITIONS, Topic
from foundation.settings import KafkaSettings, load_settings
from servicekit.kafka_access import client_options

from bitloot_cli.failure import fail

_TIMEOUT_MS: Final = 10_000
_EMPTY: Final = frozenset({"Empty", "Dead"})


class GroupIsBusy(Exception):
    """The service still reads the topic."""


class NeverRead(Exception):
    """No service of this name has ever read the topic; the text names those that have."""


def replay(
    service: Annotated[str, typer.Argument(help="For example orders; it must be stopped.")],
    topic: Annotated[str, typer.Argument(help="For example payment.confirmed.")],
    since: Annotated[
        datetime,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
            help="Moment in UTC: a little before the backup was taken.",
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be read.")
    ] = False,
) -> None:
    """Set a service back on a topic; needs KAFKA_BOOTSTRAP_SERVERS. Safe to do twice."""
    if topic not in set(Topic):
        fail(f"{topic} is no topic of this shop: {', '.join(Topic)}", code=2)
    settings = load_settings(KafkaSettings)
    moment = since.replace(tzinfo=UTC)
    try:
        number = asyncio.run(
            set_back(settings, f"{service}.{topic}", topic, moment, dry_run=dry_run)
        )
    except GroupIsBusy:
        fail(f"{service} still reads {topic}: stop all its replicas first, then run this again")
    except NeverRead as error:
        fail(f"{service} has never read {topic}; these have: {error}", code=2)
    except (KafkaError, OSError) as error:
        fail(f"Kafka at KAFKA_BOOTSTRAP_SERVERS cannot be used: {error}")
    would = "would read" if dry_run else "will read"
    typer.echo(f"{service} {would} {number} messages of {topic} again, from {moment:%F %T} UTC on")


async def set_back(
    settings: KafkaSettings, group: str, topic: str, since: datetime, *, dry_run: bool
) -> int:
    """Commit the offsets of a moment for a group; how many messages lie behind them.

    Raises:
        GroupIsBusy: it has members.
        NeverRead: Kafka knows no such group, so that a typing error sets nothing back.
        aiokafka.errors.KafkaError, OSError: Kafka cannot be used.
    """
    options = client_options(settings)
    await _refuse_unfit(options, group, topic)
    consumer = AIOKafkaConsumer(
        group_id=group, enable_auto_commit=False, request_timeout_ms=_TIMEOUT_MS, **options
    )
    await consumer.start()
    try:
        return await _commit(consumer, topic, since, dry_run=dry_run)
    finally:
        await consumer.stop()


async def _refuse_unfit(options: Mapping[str, Any], group: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(request_timeout_ms=_TIMEOUT_MS, **options)
    await admin.start()
    try:
        known = {name for name, *_rest in await admin.list_consumer_groups()}
        if group not in known:
            end = f".{topic}"
            readers = sorted(name.removesuffix(end) for name in known if name.endswith(end))
            raise NeverRead(", ".join(readers) or "none")
        [answer] = await admin.describe_consumer_groups([group])
    finally:
        await admin.close()
    for _error, _group, state, *_rest in answer.groups:
        if state not in _EMPTY:
            raise GroupIsBusy(group)


async def _commit(consumer: AIOKafkaConsumer, topic: str, since: datetime, *, dry_run: bool) -> int:
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    found = await consumer.offsets_for_times(
        dict.fromkeys(partitions, int(since.timestamp() * 1000))
    )
    starts = {
        partition: place.offset if (place := found.get(partition)) else ends[partition]
        for partition in partitions
    }
    if not dry_run:
        await consumer.commit(starts)
    return sum(ends[partition] - start for partition, start in starts.items())
