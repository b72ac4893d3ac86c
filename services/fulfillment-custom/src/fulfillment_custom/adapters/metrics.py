"""What own stock shows: keys by state, and lines that wait for an upload."""

from typing import Final

import sqlalchemy as sa
from persistence.readings import Reading, age_s, number

from fulfillment_custom.adapters.tables import lines, stock_keys
from fulfillment_custom.domain.line import LineState

READINGS: Final = (
    Reading(
        "stock_keys",
        "Keys of own stock by state",
        sa.select(stock_keys.c.state, number()).group_by(stock_keys.c.state),
        {"state": ("free", "reserved", "assigned", "withdrawn")},
    ),
    Reading(
        "stock_lines_waiting",
        "Paid lines that wait for an upload",
        sa.select(number()).select_from(lines).where(lines.c.state == LineState.WAITING),
    ),
    Reading(
        "stock_oldest_waiting_line_age_seconds",
        "Time since the oldest of them was requested",
        sa.select(age_s(lines.c.requested_at)).where(lines.c.state == LineState.WAITING),
    ),
)
