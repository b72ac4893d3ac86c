"""How far a consumer is: partitions it reads, records behind, and the lag in time.

The lag is the age of the oldest record in hand: it grows while PostgreSQL or a handler keeps a
batch from ending, which a count of records does not show. No partition at all means that the
service has not joined its group; then nothing is known of a lag.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from contracts.topics import Topic
from persistence.measures import Measure
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from servicekit.dead_letters import Record

_TOPICS: Final = tuple(topic.value for topic in Topic)

MESSAGES: Final = Measure(
    "consumer_messages",
    "Messages by what became of them, once that was committed",
    {"topic": _TOPICS, "outcome": ("handled", "duplicate", "unreadable", "parked")},
)
BATCHES: Final = Measure(
    "consumer_batch_seconds",
    "Time that a batch of messages took until its commit",
    {"topic": _TOPICS},
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class Progress:
    """Where the consumer of one topic is; times are seconds since the epoch."""

    def __init__(self, topic: str, now: Callable[[], float] = time.time) -> None:
        self.topic = topic
        self._now = now
        self._in_hand: float | None = None
        self._handled: float | None = None
        self._next_offset: dict[int, int] = {}

    def begins(self, records: Sequence[Record]) -> None:
        """A batch is in hand, perhaps again."""
        self._in_hand = min((r.sent_at for r in records if r.sent_at), default=None)

    def ends(self, records: Sequence[Record]) -> None:
        """The batch is committed."""
        self._in_hand = None
        self._handled = max((r.sent_at for r in records if r.sent_at), default=self._handled)
        for record in records:
            self._next_offset[record.partition] = record.offset + 1

    def lag_s(self, behind: int) -> float:
        """Age of the oldest record that is known and not handled; 0 when there is none."""
        since = self._in_hand or (self._handled if behind else None)
        return max(0.0, self._now() - since) if since else 0.0

    def behind(self, consumer: AIOKafkaConsumer) -> int:
        """Records that Kafka has beyond the last handled one, in partitions we are reading."""
        return sum(self._behind(consumer, partition) for partition in consumer.assignment())

    def _behind(self, consumer: AIOKafkaConsumer, partition: TopicPartition) -> int:
        end = consumer.highwater(partition)
        done = self._next_offset.get(partition.partition)
        return max(0, end - done) if end is not None and done is not None else 0


class ProgressCollector(Collector):
    """Shows the progress of every consumer of a service at the moment of a scrape."""

    def __init__(self, progresses: Sequence[Progress], subscribers: Sequence[Any]) -> None:
        self._progresses = progresses
        self._subscribers = subscribers

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        assigned = _gauge("consumer_assigned_partitions", "Partitions that this process reads")
        behind = _gauge("consumer_records_behind", "Records not handled yet")
        lag = _gauge("consumer_lag_seconds", "Age of the oldest record not handled yet")
        for progress in self._progresses:
            consumer = self._consumer_of(progress.topic)
            records = progress.behind(consumer) if consumer else 0
            partitions = len(consumer.assignment()) if consumer else 0
            assigned.add_metric([progress.topic], partitions)
            behind.add_metric([progress.topic], records)
            lag.add_metric([progress.topic], progress.lag_s(records))
        yield from (assigned, behind, lag)

    def _consumer_of(self, topic: str) -> AIOKafkaConsumer | None:
        for subscriber in self._subscribers:
            consumer = getattr(subscriber, "consumer", None)
            if topic in subscriber.topic_names and isinstance(consumer, AIOKafkaConsumer):
                return consumer
        return None


def _gauge(name: str, documentation: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, labels=["topic"])
