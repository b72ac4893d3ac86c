"""The kinds of work that waits: each is one row a subject, see `servicekit.jobs`."""

from typing import Final

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
