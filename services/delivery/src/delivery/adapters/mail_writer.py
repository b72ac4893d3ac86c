"""Write a mail from its frozen row: the same row gives the same bytes.

It holds links, never keys. Text and HTML; no picture and nothing remote.
"""

import hashlib
import json
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

import jinja2
from foundation.sealing import KeyRing
from pydantic import SecretBytes

from delivery.domain.link import link, link_token
from delivery.domain.mail import Mail

_LINE_BREAKS: Final = "\r\n"
_MAX_LINE: Final = 990
"""Bytes of a line in a mail: 998 by RFC 5322, less some room."""


class MailWriter:
    """Knows the sender, the shop's address and how links are made."""

    def __init__(
        self, *, ring: KeyRing, link_secret: SecretBytes, storefront_url: str, mail_from: str
    ) -> None:
        self._ring = ring
        self._link_secret = link_secret
        self._storefront_url = storefront_url
        self._mail_from = mail_from
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("delivery"),
            autoescape=jinja2.select_autoescape(["html"]),
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def write(self, mail: Mail) -> EmailMessage:
        """The mail, ready to be sent.

        Raises:
            UnknownRecipientKey, CannotOpen: the address or body cannot be opened.
            ValueError: a header would hold a line break.
        """
        subject, text, html = self._foreign(mail) if mail.body else self._key_mail(mail)
        message = EmailMessage(policy=SMTP)
        recipient = self._ring.open(mail.recipient, *mail.recipient.info).decode()
        for name, value in (
            ("From", self._mail_from),
            ("To", recipient),
            ("Subject", subject),
            ("Date", format_datetime(mail.dated_at)),
            ("Message-ID", mail.message_id),
            ("Auto-Submitted", "auto-generated"),
            ("X-Entity-Ref-ID", str(mail.id)),
        ):
            message[name] = _one_line(value)
        message.set_content(text, cte=_encoding(text))
        message.add_alternative(html, subtype="html", cte=_encoding(html))
        # A random boundary would make each retry another mail.
        message.set_boundary(hashlib.sha256(mail.message_id.encode()).hexdigest()[:40])
        return message

    def _foreign(self, mail: Mail) -> tuple[str, str, str]:
        if mail.body is None:
            raise ValueError("the mail has no body of its own")
        content = json.loads(self._ring.open(mail.body, *mail.body.info))
        return content["subject"], content["text"], content["html"]

    def _key_mail(self, mail: Mail) -> tuple[str, str, str]:
        lines = [
            {
                "title": item.title,
                "quantity": item.quantity,
                "url": link(
                    self._storefront_url,
                    item.delivery_id,
                    link_token(self._link_secret, item.delivery_id, item.link_version),
                ),
            }
            for item in mail.links
        ]
        facts = {"order_id": mail.about, "lines": lines, "shop_url": self._storefront_url}
        many = sum(item.quantity for item in mail.links) > 1
        subject = f"Your {'keys are' if many else 'key is'} ready"
        return (
            subject,
            self._templates.get_template("keys.txt").render(facts),
            self._templates.get_template("keys.html").render(facts),
        )


def _encoding(content: str) -> str:
    """Plain where it can be: a link stays whole for people who read the source."""
    is_plain = content.isascii() and max(map(len, content.splitlines()), default=0) < _MAX_LINE
    return "7bit" if is_plain else "quoted-printable"


def _one_line(value: str) -> str:
    if any(character in value for character in _LINE_BREAKS):
        raise ValueError("a header may not hold a line break")
    return value
