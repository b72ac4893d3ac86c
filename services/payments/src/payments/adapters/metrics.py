"""What payments shows of its money: news and verdicts as they commit, states from the rows.

Rows are read every few seconds; the labels are the words of the domain and nothing else.
"""

from typing import Final

import sqlalchemy as sa
from persistence.measures import Measure
from persistence.readings import Reading, age_s, number

from payments.adapters.tables import differences, invoices, ipns, payments, refundables
from payments.domain.invoice import InvoiceState
from payments.domain.payment import PaymentStatus
from payments.domain.progress import Effect
from payments.domain.verdict import Verdict

IPN_EFFECTS: Final = Measure(
    "ipn_effects", "Stored notifications by what they caused", {"effect": tuple(Effect)}
)
VERDICTS: Final = Measure(
    "payment_verdicts", "Finished payments by what they were judged", {"verdict": tuple(Verdict)}
)
CONFIRMED_AMOUNT: Final = Measure(
    "payments_confirmed_amount", "Money of paid orders, as ordered", {"currency": ("USD", "EUR")}
)

MEASURES: Final = (IPN_EFFECTS, VERDICTS, CONFIRMED_AMOUNT)

_last = sa.select(ipns.c.received_at).order_by(ipns.c.id.desc()).limit(1).subquery()

READINGS: Final = (
    Reading(
        "payments",
        "Payments by the gateway's word for them",
        sa.select(payments.c.status, number()).group_by(payments.c.status),
        {"status": tuple(PaymentStatus)},
    ),
    Reading(
        "invoices",
        "Orders by where their invoice is",
        sa.select(invoices.c.state, number()).group_by(invoices.c.state),
        {"state": tuple(InvoiceState)},
    ),
    Reading(
        "ipns_oldest_open_age_seconds",
        "Age of the oldest notification without an effect",
        sa.select(age_s(ipns.c.received_at)).where(ipns.c.effect.is_(None)),
    ),
    Reading(
        "ipns_last_received_age_seconds",
        "Time since a notification was stored",
        sa.select(age_s(_last.c.received_at)),
    ),
    Reading(
        "refundables", "Payments that are owed back", sa.select(number()).select_from(refundables)
    ),
    Reading(
        "payment_differences",
        "Differences to the gateway's books that nobody has settled",
        sa.select(number()).select_from(differences).where(differences.c.settled_at.is_(None)),
    ),
)
