"""A mail server that refuses when it is told to, and keeps the rest as files of a Maildir."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, Envelope, Session
from stack.ports import LOOPBACK


@dataclass(frozen=True, slots=True)
class MailFault:
    """`sender`, `recipient` and `data` are answers instead of yes; `drops` says yes and lies."""

    sender: str | None = None
    recipient: str | None = None
    data: str | None = None
    drops: bool = False


class FaultyMail(Mailbox):
    """The server and its handler; `fault` may change at any time."""

    def __init__(self, maildir: Path) -> None:
        super().__init__(maildir)
        self.maildir = maildir
        self.fault = MailFault()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free port of the loopback."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, enable_SMTPUTF8=True, loop=loop), LOOPBACK, 0
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()

    async def handle_MAIL(  # noqa: N802  the name that aiosmtpd looks for
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Answer a MAIL command."""
        if self.fault.sender is not None:
            return self.fault.sender
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  the name that aiosmtpd looks for
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Answer a RCPT command."""
        if self.fault.recipient is not None:
            return self.fault.recipient
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  the name that aiosmtpd looks for
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Answer the mail itself."""
        if self.fault.data is not None:
            return self.fault.data
        if self.fault.drops:
            return "250 OK, and it is gone"
        return str(await super().handle_DATA(server, session, envelope))
