"""A delivery: the keys of one line, on their way to the buyer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import DeliveryState, Sealed, SealedKey


class State(StrEnum):
    """Where a delivery is."""

    RECEIVED = "received"
    STORED = "stored"
    MAILED = "mailed"
    MAIL_FAILED = "mail_failed"
    VOIDED = "voided"
    NEEDS_ATTENTION = "needs_attention"


STEPS: Final[dict[State, frozenset[State]]] = {
    State.RECEIVED: frozenset({State.STORED, State.VOIDED, State.NEEDS_ATTENTION}),
    State.STORED: frozenset({State.MAILED, State.MAIL_FAILED, State.VOIDED}),
    State.MAILED: frozenset({State.MAIL_FAILED, State.VOIDED}),
    State.MAIL_FAILED: frozenset({State.MAILED, State.VOIDED}),
    State.VOIDED: frozenset(),
    State.NEEDS_ATTENTION: frozenset({State.RECEIVED, State.VOIDED}),
}
"""A mail that fails later (a renewed link) shows on a delivery that was mailed before."""

READABLE: Final = frozenset({State.STORED, State.MAILED, State.MAIL_FAILED})
"""The key lies in R2: a mail that cannot be sent does not hide it."""

HOLDING: Final = READABLE | {State.RECEIVED}
"""Its buyer can read the key, or is about to."""

NEWS: Final = {
    State.STORED: DeliveryState.STORED,
    State.MAILED: DeliveryState.MAILED,
    State.MAIL_FAILED: DeliveryState.MAIL_FAILED,
    State.VOIDED: DeliveryState.VOIDED,
    State.NEEDS_ATTENTION: DeliveryState.NEEDS_ATTENTION,
}

MAIL_WAIT: Final = timedelta(seconds=60)
"""How long the first stored line waits for the others of its order."""

ORDER_TOKEN_LIFE: Final = timedelta(hours=72)
"""How long the order's token opens keys after the mail (interfaces.md, Orders API)."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is needed to read the object in R2; written before the object is."""

    object_key: str
    kek_id: str
    wrapped_key: bytes
    nonce: bytes
    checksum: str


@dataclass(slots=True)
class Delivery:
    """One row; `version` rises with each `delivery.updated`."""

    id: UUID
    order_id: UUID
    line_id: UUID
    product_id: UUID
    title: str
    source_type: str
    lines_in_order: int
    buyer: Sealed
    fingerprints: Sequence[str]
    sealed_keys: Sequence[SealedKey] | None
    state: State = State.RECEIVED
    version: int = 0
    link_version: int = 1
    reveals_used: int = 0
    was_revealed: bool = False
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    mailed_at: datetime | None = None
    envelope: Envelope | None = None

    def move(self, to: State) -> bool:
        """Take a step if the table allows it; say whether it did."""
        if to not in STEPS[self.state]:
            return False
        self.state = to
        return True

    def is_spent(self, now: datetime, reveals: int) -> bool:
        """Whether the link shows nothing any more."""
        is_expired = self.expires_at is None or now >= self.expires_at
        return is_expired or self.reveals_used >= reveals

    def order_token_holds(self, now: datetime) -> bool:
        """Whether the order's own token still opens it."""
        return self.mailed_at is None or now < self.mailed_at + ORDER_TOKEN_LIFE
