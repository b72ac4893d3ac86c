"""Which source serves a line: decided once, when the order is placed.

Kinguin is used for a product when its source is Kinguin, the switch is on, and the
product is within the rollout percentage or the buyer is a tester. The percentage looks
at a hash of the product id, so raising it never takes a product out.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from contracts import SourceType


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far Kinguin is switched on, `percent` of the products (0 to 100), and since when."""

    kinguin_enabled: bool
    percent: int
    tester_emails: frozenset[str]
    version: int = 0
    stepped_at: datetime | None = None


def rollout_bucket(product_id: UUID) -> int:
    """A stable number from 0 to 99: SHA-256 of the product id, modulo 100."""
    return int.from_bytes(hashlib.sha256(str(product_id).encode()).digest(), "big") % 100


def route(
    source_type: SourceType, product_id: UUID, rollout: Rollout, email: str | None
) -> SourceType:
    """The source that serves this product for this buyer."""
    if source_type is not SourceType.KINGUIN or not rollout.kinguin_enabled:
        return SourceType.CUSTOM
    is_tester = email is not None and email.casefold() in rollout.tester_emails
    if is_tester or rollout_bucket(product_id) < rollout.percent:
        return SourceType.KINGUIN
    return SourceType.CUSTOM
