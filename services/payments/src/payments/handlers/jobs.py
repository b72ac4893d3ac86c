"""The kinds of work that waits: each is one row a subject, see `servicekit.jobs`."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

CREATE_INVOICE: Final = "create_invoice"
"""Subject: order id."""
APPLY_IPN: Final = "apply_ipn"
"""Subject: id of the stored notification."""
CONFIRM_PAYMENT: Final = "confirm_payment"
"""Subject: payment id."""
RECONCILE: Final = "reconcile"
"""Subject: order id."""
REPORT_REFUNDABLE: Final = "report_refundable"
"""Subject: payment id."""


def of_order(order_id: UUID | None) -> Mapping[str, str]:
    """The payload of a job about a payment: whose order it is.

    Runners settle by order, so that those who lock the same ones never wait crosswise.
    """
    return {} if order_id is None else {"order_id": str(order_id)}
