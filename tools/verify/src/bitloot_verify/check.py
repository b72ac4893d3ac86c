"""Judge readings: a violation counts when two readings, a pause apart, both show it.

The databases are read one beside the other while messages travel between them, so a
single reading may show an effect before its cause (design, section 9).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bitloot_verify.invariants import INVARIANTS, Finding
from bitloot_verify.reading import Reading
from bitloot_verify.rows import Order

Findings = Mapping[int, frozenset[Finding]]
"""By the number of the invariant; every checked number is there, empty or not."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was checked and what was found in both readings."""

    at: datetime
    findings: Findings
    orders_read: int

    @property
    def violations(self) -> int:
        """How many findings there are in all."""
        return sum(map(len, self.findings.values()))


def judge(reading: Reading) -> Findings:
    """The findings of every invariant in one reading."""
    return {
        number: frozenset(invariant.findings(reading)) for number, invariant in INVARIANTS.items()
    }


async def check(
    read: Callable[[], Awaitable[Reading]],
    pause_s: float,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Report:
    """Read, and read again after `pause_s` seconds if something was found."""
    reading = await read()
    findings = judge(reading)
    if any(findings.values()):
        await sleep(pause_s)
        reading = await read()
        again = judge(reading)
        findings = {number: found & again[number] for number, found in findings.items()}
    return Report(reading.at, findings, len(reading.all(Order)))
