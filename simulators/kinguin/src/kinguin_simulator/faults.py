"""What goes wrong on demand. `PUT /_simulator/faults` replaces the whole set.

A fault that the PUT does not name is off. Counts go down as they are used.
"""

import random
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=0)]


class Faults(BaseModel):
    """One set of faults."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Count = 0
    """Wait before each API answer, in milliseconds."""
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of API calls refused before any work; 1 when only `error_status` is named."""
    error_status: Annotated[int, Field(ge=400, le=599)] = 500
    """HTTP status of those refusals."""
    retry_after_s: Count | None = None
    """Those refusals carry this `Retry-After`."""
    html_errors: bool = False
    """Those refusals are an HTML page, as a proxy in front would send."""
    drop_answer_after_work: Count = 0
    """The next n accepted orders are kept, and the connection closed without an answer."""
    error_after_work: Count = 0
    """The next n accepted orders are kept, and answered with 500."""
    refuse_return: bool = False
    """Keys are not taken back: somebody has claimed them."""
    drop_return_answer: Count = 0
    """The next n accepted returns are kept, and the connection closed without an answer."""
    truncate_json: bool = False
    """Answers to GET lose their second half."""
    polls_until_ready: Count | None = None
    """Keys come with the n-th look at the order or its keys, not after a time."""
    html_answers: bool = False
    """Answers to GET are 200 with an HTML page, as a proxy with a log-in would send."""
    stuck: bool = False
    """Orders stay in processing."""
    cancel: bool = False
    """Orders end canceled, without keys unless `fewer_keys` says so."""
    refund: bool = False
    """Orders are refunded as soon as they are complete."""
    image_keys: bool = False
    """Keys are pictures, even where text was asked for."""
    fewer_keys: bool | Count = False
    """True or n: one or n keys fewer than ordered arrive."""
    repeat_keys: Count = 0
    """The next n keys are ones that were delivered before, where there are any."""
    balance: Annotated[Decimal, Field(ge=0)] | None = None
    """EUR that are left, from now on, whatever the account had."""
    price_factor: Annotated[Decimal, Field(gt=0)] = Decimal(1)
    """All prices times this."""
    refuse_duplicates: bool = True
    """False: an external id may be used again, and is bought again."""
    misspelled_content_type: bool = False
    """Webhooks say `aplication/json`, as Kinguin's documentation does."""
    duplicate_webhooks: bool = False
    """Each webhook is sent twice."""

    @model_validator(mode="after")
    def _status_alone_means_always(self) -> Self:
        if "error_status" in self.model_fields_set and "error_rate" not in self.model_fields_set:
            self.error_rate = 1.0
        return self

    def refuses_call(self, dice: random.Random) -> bool:
        """Whether this API call is one of the refused share."""
        return self.error_rate > 0 and dice.random() < self.error_rate

    def drops_answer(self) -> bool:
        """Whether the connection closes instead of this order's answer; uses one up."""
        if self.drop_answer_after_work == 0:
            return False
        self.drop_answer_after_work -= 1
        return True

    def drops_return(self) -> bool:
        """Whether the connection closes instead of this return's answer; uses one up."""
        if self.drop_return_answer == 0:
            return False
        self.drop_return_answer -= 1
        return True

    def spoils_answer(self) -> bool:
        """Whether this order is answered with 500; uses one up."""
        if self.error_after_work == 0:
            return False
        self.error_after_work -= 1
        return True

    def repeats_key(self) -> bool:
        """Whether this key is one that was delivered before; uses one up."""
        if self.repeat_keys == 0:
            return False
        self.repeat_keys -= 1
        return True

    def keys_to_deliver(self, ordered: int) -> int:
        """How many of the ordered keys ever arrive."""
        missing = int(self.fewer_keys)
        if self.cancel and missing == 0:
            return 0
        return max(0, ordered - missing)


class FaultPanel:
    """Holds the faults in force, so that a PUT reaches every part at once."""

    def __init__(self) -> None:
        self.current = Faults()
