"""Mailpit, the mail server of the compose stack, as a process.

Options as of Mailpit 1.31 (its page "Runtime options").
"""

from pathlib import Path

from stack.mailboxes import MailAddress
from stack.parts.mail_rules import MailRules
from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder, write_atomically

_START_DEADLINE_S = 30.0


class MailpitServer:
    """The server; `smtp_port` takes mails, `api_port` shows them."""

    name = "mailpit"

    def __init__(
        self,
        processes: ProcessFolder,
        *,
        program: Path,
        smtp_port: int,
        api_port: int,
        rules: MailRules,
    ) -> None:
        self._processes = processes
        self._program = program
        self._api_url = f"http://{LOOPBACK}:{api_port}"
        self._rules = rules
        self.address = MailAddress(LOOPBACK, smtp_port, mailpit_url=self._api_url)

    def start(self) -> None:
        """Start the process, wait until it is ready."""
        listen = ["--smtp", f"{LOOPBACK}:{self.address.port}", "--listen", self._api_url[7:]]
        quiet = ["--disable-version-check", "--smtp-disable-rdns"]
        arguments = [str(self._program), *listen, *quiet, *self._options()]
        wait_until_ready(
            self.name,
            self._processes.start(Command(self.name, arguments, {})),
            self._processes,
            is_ready=lambda: http_answers(f"{self._api_url}/readyz"),
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; it kept its mails in a temporary file of its own."""
        self._processes.stop(self.name, at_once=at_once)

    def _options(self) -> list[str]:
        options = []
        if self._rules.certificate:
            options += ["--smtp-tls-cert", str(self._rules.certificate.chain)]
            options += ["--smtp-tls-key", str(self._rules.certificate.key)]
        if self._rules.security != "none":
            options.append(f"--smtp-require-{self._rules.security}")
        if self._rules.account:
            options += ["--smtp-auth-file", str(self._login_file())]
        if self._rules.domain:
            options += ["--smtp-allowed-recipients", f"@{self._rules.domain}$"]
        return options

    def _login_file(self) -> Path:
        file = self._processes.folder / "mailpit.logins"
        account = self._rules.account
        if account:
            write_atomically(file, f"{account.username}:{account.password}\n", mode=0o600)
        return file
