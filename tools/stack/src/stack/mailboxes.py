"""Reading the mails that were sent: one port, two ways to meet it.

`Maildir` reads the files of the embedded mail server, `Mailpit` asks Mailpit's HTTP API.
"""

import asyncio
import email
import email.policy
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Protocol

import httpx

_POLL_S = 0.1
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived. `sent_to` is the envelope's recipient, not what a header claims."""

    sent_to: tuple[str, ...]
    subject: str
    message_id: str
    text: str
    html: str
    source: bytes

    @classmethod
    def parse(cls, source: bytes, sent_to: tuple[str, ...] = ()) -> "Mail":
        """Read a mail in its wire form."""
        message = email.message_from_bytes(source, policy=email.policy.default)
        envelope = tuple(part.strip() for part in str(message.get("X-RcptTo", "")).split(","))
        return cls(
            sent_to=sent_to or tuple(part for part in envelope if part),
            subject=str(message["Subject"] or ""),
            message_id=str(message["Message-ID"] or ""),
            text=_body(message, "plain"),
            html=_body(message, "html"),
            source=source,
        )


class Mailbox(Protocol):
    """Where mails arrive. `host` and `port` take SMTP without TLS."""

    host: str
    port: int

    def mails(self) -> list[Mail]:
        """Every mail so far, oldest first."""
        ...


@dataclass(frozen=True)
class MailAddress:
    """How to reach a mail server: SMTP at `host` and `port`, mails in a Maildir or at Mailpit."""

    host: str
    port: int
    maildir: str | None = None
    mailpit_url: str | None = None

    def open(self) -> Mailbox:
        """The mailbox behind it."""
        if self.mailpit_url:
            return Mailpit(self.host, self.port, self.mailpit_url)
        if self.maildir:
            return Maildir(self.host, self.port, Path(self.maildir))
        raise ValueError("neither a Maildir nor a Mailpit address")


class Maildir:
    """The embedded mail server's folder."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self.host = host
        self.port = port
        self.folder = folder

    def mails(self) -> list[Mail]:
        """Every mail so far, oldest first."""
        files = [file for part in ("new", "cur") for file in (self.folder / part).glob("*")]
        files.sort(key=lambda file: (file.stat().st_mtime_ns, file.name))
        return [Mail.parse(file.read_bytes()) for file in files]


class Mailpit:
    """A Mailpit server at `api_url`; a mail is read once, for hundreds lie there after a crowd."""

    def __init__(self, host: str, port: int, api_url: str) -> None:
        self.host = host
        self.port = port
        self._api_url = api_url
        self._read: dict[str, Mail] = {}

    def mails(self) -> list[Mail]:
        """Every mail so far, oldest first."""
        listed = self._get("/api/v1/messages?limit=10000").json()["messages"]
        for entry in listed:
            if entry["ID"] not in self._read:
                self._read[entry["ID"]] = self._mail(entry)
        return [self._read[entry["ID"]] for entry in reversed(listed)]

    def _mail(self, entry: dict[str, object]) -> Mail:
        summary = self._get(f"/api/v1/message/{entry['ID']}").json()
        people = [*summary["To"], *(summary.get("Cc") or []), *(summary.get("Bcc") or [])]
        raw = self._get(f"/api/v1/message/{entry['ID']}/raw").content
        return Mail.parse(raw, sent_to=tuple(person["Address"] for person in people))

    def _get(self, path: str) -> httpx.Response:
        answer = httpx.get(f"{self._api_url}{path}", timeout=_TIMEOUT_S, trust_env=False)
        return answer.raise_for_status()


def mails_to(mailbox: Mailbox, address: str) -> list[Mail]:
    """The mails whose envelope names `address`, oldest first."""
    return [mail for mail in mailbox.mails() if address in mail.sent_to]


async def wait_for_mails(
    mailbox: Mailbox, address: str, *, count: int = 1, timeout_s: float = 30.0
) -> list[Mail]:
    """The mails to `address` once there are at least `count`.

    Raises:
        TimeoutError: there are fewer after `timeout_s` seconds.
    """
    end = time.monotonic() + timeout_s
    while True:
        found = await asyncio.to_thread(mails_to, mailbox, address)
        if len(found) >= count:
            return found
        if time.monotonic() > end:
            raise TimeoutError(f"{len(found)} mails to {address} after {timeout_s} s, not {count}")
        await asyncio.sleep(_POLL_S)


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part else ""
