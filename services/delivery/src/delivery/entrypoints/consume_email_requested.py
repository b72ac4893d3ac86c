"""Consume `email.requested`: any other mail.

Group `delivery`, at least once; the inbox and one delivery a line make it once.
"""

from contracts import EmailRequested
from servicekit.consumer import Consumer, GiveUp

from delivery.handlers.send_mails import RequestMail


def email_requested_consumer(handler: RequestMail, give_up: GiveUp) -> Consumer[EmailRequested]:
    """The consumer of this topic."""
    return Consumer(EmailRequested, group="delivery", handle=handler, give_up=give_up)
