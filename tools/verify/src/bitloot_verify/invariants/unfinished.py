"""5: everything open is due in the future, waits for somebody on record, or needs a person."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

OVERDUE: Final = timedelta(minutes=10)
"""A job is late when nobody took it for twice the longest pause between tries (300 s)."""
_JOB_OF_PURCHASE: Final = {
    "planned": {"place"},
    "placing": {"place", "search"},
    "unknown": {"search"},
    "placed": {"poll"},
    "slow": {"poll"},
    "return_requested": {"return_keys"},
}
_OPEN_PURCHASE: Final = frozenset({*_JOB_OF_PURCHASE, "needs_attention"})
_WANTED: Final = frozenset({"buying", "delayed"})


def nothing_forgotten(reading: Reading) -> Iterator[Finding]:
    """5. Nothing is open without a job, an answer to come, or a flag."""
    jobs = {(job.service, job.kind, job.subject) for job in reading.all(rows.Job)}
    yield from _late_jobs(reading)
    yield from _letters(reading, jobs)
    yield from _invoices(reading, jobs)
    yield from _purchases(reading, jobs)
    yield from _deliveries(reading, jobs)
    yield from _paid_items(reading)


Jobs = set[tuple[str, str, str]]


def _late_jobs(reading: Reading) -> Iterator[Finding]:
    for job in reading.all(rows.Job):
        is_held = job.lease_until is not None and job.lease_until > reading.at
        if reading.at - job.due_at > OVERDUE and not is_held:
            subject = f"{job.service} job {job.kind} {job.subject}"
            yield Finding(subject, "long due, and nobody takes it")


def _letters(reading: Reading, jobs: Jobs) -> Iterator[Finding]:
    for letter in reading.all(rows.DeadLetter):
        if (letter.service, "redeliver", str(letter.id)) not in jobs:
            yield Finding(f"{letter.service} dead letter {letter.id}", "open, but not tried again")


def _invoices(reading: Reading, jobs: Jobs) -> Iterator[Finding]:
    for invoice in reading.all(rows.Invoice):
        kind = {"placed": "create_invoice", "invoiced": "reconcile"}.get(invoice.state)
        if kind and ("payments", kind, str(invoice.order_id)) not in jobs:
            yield Finding(f"order {invoice.order_id}", f"its invoice is {invoice.state}: no {kind}")


def _purchases(reading: Reading, jobs: Jobs) -> Iterator[Finding]:
    open_lines = set()
    for purchase in reading.all(rows.Purchase):
        if purchase.state in _OPEN_PURCHASE:
            open_lines.add(purchase.line_id)
        kinds = _JOB_OF_PURCHASE.get(purchase.state)
        candidates = {("fulfillment-kinguin", kind, str(purchase.id)) for kind in kinds or ()}
        if kinds and not candidates & jobs:
            yield Finding(f"purchase {purchase.id}", f"{purchase.state}, and no job is due")
    for line in reading.all(rows.KinguinLine):
        if line.state in _WANTED and line.id not in open_lines:
            yield Finding(f"line {line.id}", f"{line.state}, and nothing is being bought")


def _deliveries(reading: Reading, jobs: Jobs) -> Iterator[Finding]:
    for delivery in reading.all(rows.Delivery):
        is_busy = ("delivery", "store", str(delivery.id)) in jobs
        if delivery.state == "received" and not is_busy:
            yield Finding(f"delivery {delivery.id}", "its keys are not stored, and no job is due")
    for mail in reading.all(rows.Mail):
        if mail.state == "planned" and ("delivery", "mail", mail.about) not in jobs:
            yield Finding(f"mail {mail.id}", "planned, and no job is due")


def _paid_items(reading: Reading) -> Iterator[Finding]:
    """A paid line that was asked for is known to the service that was asked."""
    asked = {line.id for line in reading.all(rows.CustomLine)}
    asked |= {line.id for line in reading.all(rows.KinguinLine)}
    orders = reading.by_id(rows.Order)
    for item in reading.all(rows.Item):
        order = orders.get(item.order_id)
        if order is None or order.money != "paid" or order.attention:
            continue
        if item.status == "waiting":
            yield Finding(f"line {item.id}", "paid, and nobody was asked for its keys")
        if item.status in {"requested", "delayed"} and item.id not in asked:
            yield Finding(f"line {item.id}", f"{item.status}, and nobody knows of it")
