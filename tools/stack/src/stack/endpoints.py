"""How the parts are reached, whoever started them: the embedded stack or containers."""

from collections.abc import Iterable
from dataclasses import dataclass

from stack.parts.databases import create_database
from stack.parts.kafka_client import create_topics, touch_topics


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server; `url` is its superuser's."""

    url: str

    def new_database(self, template: str | None = None) -> str:
        """The URL of a database made just now, empty or a copy of the one at the URL `template`.

        Nobody may be connected to the template meanwhile.
        """
        return create_database(self.url, template)


@dataclass(frozen=True)
class KafkaServer:
    """A Kafka broker; `kind` is `apache` or `librdkafka`, `warning` says why the latter."""

    bootstrap_servers: str
    kind: str
    version: str
    warning: str | None = None

    def create_topics(self, names: Iterable[str]) -> None:
        """Create topics, 12 partitions each (librdkafka's broker decides for itself: 4)."""
        if self.kind == "apache":
            create_topics(self.bootstrap_servers, names)
        else:
            touch_topics(self.bootstrap_servers, names)


@dataclass(frozen=True)
class ObjectStore:
    """An S3 server with a bucket in it."""

    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str
