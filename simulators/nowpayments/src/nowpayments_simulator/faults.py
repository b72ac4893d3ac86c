"""What goes wrong on demand. `PUT /_simulator/faults` replaces the whole set.

A fault that the PUT does not name is off. Nothing here touches the ledger's
truth: only answers, IPNs and their signatures.
"""

import random
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from nowpayments_simulator.payment import PaymentStatus

Count = Annotated[int, Field(ge=0)]


class Faults(BaseModel):
    """One set of faults; counts go down as they are used."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: Count = 0
    """Wait before each API answer, in milliseconds."""
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of API calls refused before any work; 1 when only `error_status` is named."""
    error_status: Annotated[int, Field(ge=400, le=599)] = 500
    """HTTP status of those refusals."""
    error_after_work: Count = 0
    """The next n POSTs are carried out and then answered with 500."""
    drop_ipns: bool | Count = False
    """True: no IPN leaves; n: the next n IPNs are lost."""
    wrong_signature: bool = False
    """IPNs are signed with another secret."""
    unsorted_body: bool = False
    """IPN bodies have their keys in reverse order and spaces; signed as always."""
    extra_ids_array: bool = False
    """`payment_extra_ids` of IPNs is an array of numbers, children or not."""
    sign_arrays_as_objects: bool = False
    """The signature covers arrays as objects, as one published Node sample does."""
    tiny_fees: bool = False
    """Fees of 0.000002, 1e-7 and 0.000083 bitcoin."""
    without_updated_at: bool = False
    """IPNs lack `updated_at`, as those of 2023 did."""
    ipn_secret: Annotated[SecretStr, Field(min_length=1)] | None = None
    """IPNs are signed with this, as after a change of the secret in the dashboard."""
    lie_on_get: PaymentStatus | None = None
    """`GET /v1/payment` and the list say this status, whatever the ledger says."""

    @model_validator(mode="after")
    def _status_alone_means_always(self) -> Self:
        if "error_status" in self.model_fields_set and "error_rate" not in self.model_fields_set:
            self.error_rate = 1.0
        return self

    def refuses_call(self, dice: random.Random) -> bool:
        """Whether this API call is one of the refused share."""
        return self.error_rate > 0 and dice.random() < self.error_rate

    def loses_answer(self) -> bool:
        """Whether the answer to this finished POST is lost; uses one up."""
        if self.error_after_work == 0:
            return False
        self.error_after_work -= 1
        return True

    def loses_ipn(self) -> bool:
        """Whether this IPN is lost; uses one up."""
        if isinstance(self.drop_ipns, bool):
            return self.drop_ipns
        if self.drop_ipns == 0:
            return False
        self.drop_ipns -= 1
        return True


class FaultPanel:
    """Holds the faults in force, so that a PUT reaches every part at once."""

    def __init__(self) -> None:
        self.current = Faults()
