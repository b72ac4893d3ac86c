"""How strict a mail server is: encryption, login, whose mail it takes.

The embedded stack's own server is not strict at all. Tests of whoever sends mail ask more.
"""

from dataclasses import dataclass
from typing import Literal

from stack.parts.certificates import Certificate


@dataclass(frozen=True)
class Account:
    """The one login that is taken."""

    username: str
    password: str


@dataclass(frozen=True)
class MailRules:
    """`starttls` and `tls` take nothing that is not encrypted, and need a certificate.

    With an account nobody sends without its login; with a domain only mail to it is taken.
    """

    security: Literal["none", "starttls", "tls"] = "none"
    certificate: Certificate | None = None
    account: Account | None = None
    domain: str | None = None
