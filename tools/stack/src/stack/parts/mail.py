"""An SMTP server that keeps every mail as a file of a Maildir.

It offers no TLS: it listens on loopback only.
"""

import os
import smtplib
import sys

from stack.parts.part import wait_until_ready
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder

_START_DEADLINE_S = 30.0
_PROBE_TIMEOUT_S = 2.0


class MailServer:
    """The server; mails lie in `<folder>/mailbox`."""

    name = "mail"
    host = LOOPBACK

    def __init__(self, processes: ProcessFolder, *, port: int) -> None:
        self.maildir = processes.folder / "mailbox"
        self.port = port
        self._processes = processes

    def start(self) -> None:
        """Start the process and wait for its greeting."""
        module = (sys.executable, "-m", "stack.parts.mail_server")
        options = ("--port", str(self.port), "--maildir", str(self.maildir))
        command = Command(self.name, (*module, *options), dict(os.environ))
        wait_until_ready(
            self.name,
            self._processes.start(command),
            self._processes,
            is_ready=self._greets,
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; the mails stay."""
        self._processes.stop(self.name, at_once=at_once)

    def _greets(self) -> bool:
        try:
            with smtplib.SMTP(self.host, self.port, timeout=_PROBE_TIMEOUT_S):
                return True
        except OSError:
            return False
