"""Every crash point in the code: where it stands, and which services pass it under load.

A test compares this list with the calls of `crash_point` in the sources, so that neither
holds a name that the other lacks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_ALL: Final = ("payments", "orders", "fulfillment-custom", "fulfillment-kinguin", "delivery")
# The others' jobs run only when something went wrong.
_WORKERS: Final = ("payments", "fulfillment-kinguin", "delivery")


@dataclass(frozen=True, slots=True)
class Point:
    """One name, what has and what has not happened there, and who passes it."""

    name: str
    says: str
    services: tuple[str, ...]
    is_for_cancelled: bool = False
    """Only orders that are cancelled after they were paid come here."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point in one service: what a run arms."""

    service: str
    point: str

    def __str__(self) -> str:
        """`service:point`, as `--points` takes it."""
        return f"{self.service}:{self.point}"


POINTS: Final = (
    Point("consumer.received", "a batch was read from Kafka, nothing is done", _ALL),
    Point("consumer.before_commit", "the effects are written, the transaction is open", _ALL),
    Point("consumer.after_commit", "the effects are committed, the offset is not", _ALL),
    Point("relay.before_send", "messages are read from the outbox, none is sent", _ALL),
    Point("relay.after_send", "Kafka has acknowledged, the outbox rows still stand", _ALL),
    Point("job.claimed", "jobs are leased, none is begun", _WORKERS),
    Point("job.before_commit", "finished jobs are settled, the transaction is open", _WORKERS),
    Point("job.after_commit", "jobs are settled, the next are not claimed", _WORKERS),
    Point("payments.before_insert", "the signature is right, nothing is stored", ("payments",)),
    Point("payments.after_insert", "the IPN is stored, not committed", ("payments",)),
    Point("payments.after_commit", "the IPN is committed, not answered", ("payments",)),
    Point("payments.invoice_created", "the gateway has an invoice, we do not", ("payments",)),
    Point("payments.gateway_asked", "the gateway confirmed, nothing is stored", ("payments",)),
    Point("orders.before_commit", "the order is written, not committed", ("orders",)),
    Point("orders.after_commit", "the order is committed, not answered", ("orders",)),
    Point("custom.keys_reserved", "keys are held, not committed", ("fulfillment-custom",)),
    Point("custom.key_claimed", "a key is assigned, not committed", ("fulfillment-custom",)),
    Point("kinguin.before_post", "the fence stands, nothing is posted", ("fulfillment-kinguin",)),
    Point("kinguin.reply_unread", "Kinguin answered, nothing is read", ("fulfillment-kinguin",)),
    Point("kinguin.after_post", "the answer is read, not stored", ("fulfillment-kinguin",)),
    Point("kinguin.after_store", "the order is stored, not committed", ("fulfillment-kinguin",)),
    Point("kinguin.before_poll", "a poll is due, nothing asked", ("fulfillment-kinguin",)),
    Point("kinguin.keys_unsealed", "keys are read, not sealed", ("fulfillment-kinguin",)),
    Point("kinguin.keys_read", "keys are sealed, not stored", ("fulfillment-kinguin",)),
    Point(
        "kinguin.before_return",
        "a return is noted, not asked for",
        ("fulfillment-kinguin",),
        is_for_cancelled=True,
    ),
    Point(
        "kinguin.after_return",
        "Kinguin takes the keys back, the row says nothing",
        ("fulfillment-kinguin",),
        is_for_cancelled=True,
    ),
    Point("delivery.envelope_stored", "the envelope is committed, no object", ("delivery",)),
    Point("delivery.before_put", "the keys are encrypted, not in R2", ("delivery",)),
    Point("delivery.after_put", "the object lies in R2, the row says nothing", ("delivery",)),
    Point("delivery.before_mail", "the mail is frozen, not sent", ("delivery",)),
    Point("delivery.after_mail", "the mail was accepted, the row says nothing", ("delivery",)),
    Point("delivery.reveal_counted", "a reveal is counted, not answered", ("delivery",)),
)


FOR_CANCELLED: Final = frozenset(point.name for point in POINTS if point.is_for_cancelled)


def places() -> Iterator[Place]:
    """Every point in every service that passes it."""
    for point in POINTS:
        for service in point.services:
            yield Place(service, point.name)
