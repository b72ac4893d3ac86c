"""10: at least one mail was accepted for each delivery, or a person is told."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Reading

_MAIL_STARTS_WITHIN: Final = timedelta(minutes=10)
"""A mail waits 60 s for the other lines (design, section 3); the rest is grace."""


def a_mail_per_delivery(reading: Reading) -> Iterator[Finding]:
    """10. Mailed means a mail was sent; what could not be mailed is flagged for a person."""
    mails = [mail for mail in reading.all(rows.Mail) if mail.kind == "keys"]
    sent = {mail.about for mail in mails if mail.state == "sent"}
    planned = {mail.about for mail in mails if mail.state == "planned"}
    planned |= {job.subject for job in reading.all(rows.Job) if job.kind == "mail"}
    orders = reading.by_id(rows.Order)
    for delivery in reading.all(rows.Delivery):
        about, subject = str(delivery.order_id), f"delivery {delivery.id}"
        if delivery.state == "mailed" and about not in sent:
            yield Finding(subject, "mailed, but no mail about its order was accepted")
        elif delivery.state == "mail_failed":
            order = orders.get(delivery.order_id)
            if order is not None and not order.attention:
                yield Finding(subject, "its mail failed, and its order is not flagged")
        elif delivery.state == "stored" and about not in planned:
            ready_at = delivery.ready_at or reading.at
            if reading.at - ready_at > _MAIL_STARTS_WITHIN:
                yield Finding(subject, "stored, but no mail is planned")
