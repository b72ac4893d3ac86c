"""An SMTP server that keeps every mail as a file of a Maildir.

By itself it offers no TLS, for it listens on loopback only; rules make it strict.
"""

import os
import smtplib
import sys

from stack.mailboxes import MailAddress
from stack.parts.mail_rules import MailRules
from stack.parts.part import wait_until_ready
from stack.parts.probes import accepts_connections
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder

_START_DEADLINE_S = 30.0
_PROBE_TIMEOUT_S = 2.0


class MailServer:
    """The server; mails lie in `<folder>/mailbox`."""

    name = "mail"
    host = LOOPBACK

    def __init__(
        self, processes: ProcessFolder, *, port: int, rules: MailRules | None = None
    ) -> None:
        self.maildir = processes.folder / "mailbox"
        self.port = port
        self._processes = processes
        self._rules = rules or MailRules()

    @property
    def address(self) -> MailAddress:
        """How clients reach it."""
        return MailAddress(self.host, self.port, maildir=str(self.maildir))

    def start(self) -> None:
        """Start the process and wait for its greeting."""
        module = (sys.executable, "-m", "stack.parts.mail_server")
        options = ("--port", str(self.port), "--maildir", str(self.maildir), *self._options())
        command = Command(self.name, (*module, *options), os.environ | self._login())
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

    def _options(self) -> list[str]:
        options = []
        if self._rules.certificate:
            options += ["--certificate", str(self._rules.certificate.chain)]
            options += ["--key", str(self._rules.certificate.key)]
        if self._rules.security == "tls":
            options.append("--tls")
        if self._rules.domain:
            options += ["--domain", self._rules.domain]
        return options

    def _login(self) -> dict[str, str]:
        account = self._rules.account
        if account is None:
            return {}
        return {"MAIL_USERNAME": account.username, "MAIL_PASSWORD": account.password}

    def _greets(self) -> bool:
        if self._rules.security == "tls":
            return accepts_connections(self.port)
        try:
            with smtplib.SMTP(self.host, self.port, timeout=_PROBE_TIMEOUT_S):
                return True
        except OSError:
            return False
