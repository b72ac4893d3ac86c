"""A mail: what it says is frozen before it is sent, so that it can be sent again as it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts import Sealed

KEYS: Final = "keys"
"""The kind of mail that links to keys."""

MAIL_LIFE: Final = timedelta(hours=72)
"""How long a mail is tried: then the links in it are dead, and a person has to look."""


class MailState(StrEnum):
    """Where a mail is."""

    PLANNED = "planned"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class KeyLink:
    """One line of a key mail."""

    delivery_id: UUID
    link_version: int
    title: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Mail:
    """One row; `about` is the order, or what another mail is about."""

    id: UUID
    about: str
    kind: str
    message_id: str
    dated_at: datetime
    recipient: Sealed
    links: Sequence[KeyLink] = ()
    body: Sealed | None = None
