"""`bitloot create-topics`: every topic of the contracts on the broker at KAFKA_BOOTSTRAP_SERVERS.

May run at every start of a deployment: what exists stays as it is.
"""

import asyncio
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from contracts.topics import Topic
from foundation.settings import BootstrapServers, load_settings
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from bitloot_cli.failure import fail
from bitloot_cli.topics import TopicRefused, TopicShape, ensure_topics


class TopicsSettings(BaseSettings):
    """Where the brokers are."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    kafka_bootstrap_servers: BootstrapServers = Field(
        description="host:port of Kafka brokers, comma-separated"
    )


def create_topics(
    replication: Annotated[
        int, typer.Option(min=1, max=9, help="Copies of each topic; 3 with three brokers.")
    ] = 1,
) -> None:
    """Create the Kafka topics that are missing; needs KAFKA_BOOTSTRAP_SERVERS."""
    servers = load_settings(TopicsSettings).kafka_bootstrap_servers
    names = [topic.value for topic in Topic]
    try:
        made = asyncio.run(ensure_topics(servers, names, TopicShape(replication=replication)))
    except TopicRefused as error:
        fail(str(error))
    except (KafkaError, OSError) as error:
        fail(f"Kafka at KAFKA_BOOTSTRAP_SERVERS ({servers}) cannot be used: {error}")
    typer.echo(f"topics: {len(made)} created, {len(names) - len(made)} there already")
