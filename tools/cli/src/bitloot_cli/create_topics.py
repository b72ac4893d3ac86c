"""`bitloot create-topics`: every topic of the contracts on the broker at KAFKA_BOOTSTRAP_SERVERS.

May run at every start of a deployment: what exists stays as it is.
"""

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from contracts.topics import Topic
from foundation.settings import KafkaSettings, load_settings

from bitloot_cli.failure import fail
from bitloot_cli.topics import TopicRefused, TopicShape, ensure_topics


def create_topics(
    replication: Annotated[
        int, typer.Option(min=1, max=9, help="Copies of each topic; 3 with three brokers.")
    ] = 1,
) -> None:
    """Create the Kafka topics that are missing; needs the settings KAFKA_*."""
    settings = load_settings(KafkaSettings)
    names = [topic.value for topic in Topic]
    try:
        made = asyncio.run(ensure_topics(settings, names, TopicShape(replication=replication)))
    except TopicRefused as error:
        fail(str(error))
    except (KafkaError, OSError) as error:
        servers = settings.kafka_bootstrap_servers
        fail(f"Kafka at KAFKA_BOOTSTRAP_SERVERS ({servers}) cannot be used: {error}")
    typer.echo(f"topics: {len(made)} created, {len(names) - len(made)} there already")
