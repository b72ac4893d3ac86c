"""What delivery shows: mails as they end, deliveries by state, reveals.

Refused reveals are seen by status on the route itself.
"""

from typing import Final

import sqlalchemy as sa
from persistence.measures import Measure
from persistence.readings import Reading, age_s, number

from delivery.adapters.tables import deliveries, mails
from delivery.domain.delivery import State
from delivery.domain.mail import MailState

MAILS: Final = Measure(
    "mails", "Mails by how they ended", {"result": (MailState.SENT, MailState.FAILED)}
)

MEASURES: Final = (MAILS,)

READINGS: Final = (
    Reading(
        "deliveries",
        "Deliveries by state",
        sa.select(deliveries.c.state, number()).group_by(deliveries.c.state),
        {"state": tuple(State)},
    ),
    Reading(
        "deliveries_oldest_unstored_age_seconds",
        "Time since the oldest line whose keys are not in the bucket yet was received",
        sa.select(age_s(deliveries.c.received_at)).where(deliveries.c.state == State.RECEIVED),
    ),
    Reading(
        "mails_oldest_planned_age_seconds",
        "Age of the oldest mail that was neither accepted nor refused",
        sa.select(age_s(mails.c.dated_at)).where(mails.c.state == MailState.PLANNED),
    ),
)
