"""SMTP: what is accepted, what is tried again, what is final; against real servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import make_msgid
from typing import Any

import pytest
from delivery.adapters.smtp_sender import SmtpSender, SmtpServer
from delivery.errors import MailDeferred, MailRefused
from pydantic import SecretStr
from stack.contract_fixtures import Announce, credentials
from stack.mailboxes import Mailbox, wait_for_mails

pytestmark = pytest.mark.integration


def a_mail() -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "keys@bitloot.example"
    mail["To"] = "port-test@example.com"
    mail["Subject"] = "Your key is ready"
    mail["Message-ID"] = "<keys.1@bitloot.example>"
    mail.set_content("Grüße, ✓")
    return mail


class ScriptedServer:
    """Speaks just enough SMTP to answer each command as told."""

    def __init__(self, **answers: str) -> None:
        self._answers = {"greeting": "220 ready", "DATA": "354 go on", ".": "250 taken"} | answers
        self.port = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> "ScriptedServer":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):  # a client that is done may just leave
            await self._converse(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._say(writer, "greeting")
        in_data = False
        while raw := await reader.readline():
            line = raw.decode().strip()
            if in_data and line != ".":
                continue
            command = "." if in_data else line.split(" ", maxsplit=1)[0].split(":")[0].upper()
            in_data = command == "DATA"
            if not await self._say(writer, command):
                break

    async def _say(self, writer: asyncio.StreamWriter, command: str) -> bool:
        answer = self._answers.get(command, "250 fine")
        if answer == "drop":
            return False
        writer.write(f"{answer}\r\n".encode())
        await writer.drain()
        return True


@pytest.fixture
async def scripted() -> AsyncIterator[Any]:
    servers: list[ScriptedServer] = []

    async def start(**answers: str) -> SmtpSender:
        server = await ScriptedServer(**answers).start()
        servers.append(server)
        return SmtpSender(SmtpServer("127.0.0.1", server.port, "none"))

    yield start
    for server in servers:
        await server.stop()


REAL_VARIABLES = (
    "CONTRACT_SMTP_HOST",
    "CONTRACT_SMTP_PORT",
    "CONTRACT_SMTP_SECURITY",
    "CONTRACT_SMTP_USERNAME",
    "CONTRACT_SMTP_PASSWORD",
    "CONTRACT_MAIL_FROM",
    "CONTRACT_MAIL_TO",
)


@pytest.fixture
def provider() -> Mapping[str, str]:
    """The SMTP provider that the environment names."""
    return credentials(*REAL_VARIABLES)


def a_sender(provider: Mapping[str, str], password: str | None = None) -> SmtpSender:
    security = provider["CONTRACT_SMTP_SECURITY"]
    return SmtpSender(
        SmtpServer(
            provider["CONTRACT_SMTP_HOST"],
            int(provider["CONTRACT_SMTP_PORT"]),
            "tls" if security == "tls" else "starttls",
            provider["CONTRACT_SMTP_USERNAME"],
            SecretStr(password or provider["CONTRACT_SMTP_PASSWORD"]),
        )
    )


@pytest.mark.contract
async def test_provider_takes_a_mail(provider: Mapping[str, str], announce: Announce) -> None:
    mail = a_mail()
    mail.replace_header("From", provider["CONTRACT_MAIL_FROM"])
    mail.replace_header("To", provider["CONTRACT_MAIL_TO"])
    mail.replace_header("Message-ID", make_msgid(domain="bitloot.example"))
    announce(f"SMTP to {provider['CONTRACT_MAIL_TO']}", "one mail; look whether it arrived")

    await a_sender(provider).send(mail)


@pytest.mark.contract
async def test_provider_defers_mails_of_a_wrong_password(
    provider: Mapping[str, str], announce: Announce
) -> None:
    announce("SMTP AUTH with a wrong password", "free")

    with pytest.raises(MailDeferred, match="SMTP_PASSWORD"):
        await a_sender(provider, password="wrong-on-purpose").send(a_mail())


async def test_accepted_mail_arrives_whole(mailbox: Mailbox) -> None:
    sender = SmtpSender(SmtpServer(mailbox.host, mailbox.port, "none"))

    await sender.send(a_mail())

    [mail] = await wait_for_mails(mailbox, "port-test@example.com")
    assert mail.message_id == "<keys.1@bitloot.example>"
    assert mail.text.strip() == "Grüße, ✓"


@pytest.mark.parametrize(
    "answers", [{"RCPT": "550 nobody"}, {".": "554 spam"}, {"MAIL": "553 not you"}]
)
async def test_final_answer_refuses_the_mail(scripted: Any, answers: dict[str, str]) -> None:
    sender = await scripted(**answers)

    with pytest.raises(MailRefused):
        await sender.send(a_mail())


@pytest.mark.parametrize(
    "answers",
    [
        {"RCPT": "450 later"},
        {"greeting": "421 busy"},
        {"greeting": "554 go away"},
        {".": "451 oops"},
        {".": "drop"},
    ],
    ids=["greylisted", "busy", "unwanted", "local error", "lost after DATA"],
)
async def test_passing_trouble_defers_the_mail(scripted: Any, answers: dict[str, str]) -> None:
    sender = await scripted(**answers)

    with pytest.raises(MailDeferred):
        await sender.send(a_mail())


async def test_server_without_tls_gets_no_mail_where_tls_is_asked_for(scripted: Any) -> None:
    plain: SmtpSender = await scripted()
    strict = SmtpSender(SmtpServer("127.0.0.1", plain._server.port, "starttls"))

    with pytest.raises(MailDeferred):
        await strict.send(a_mail())


async def test_address_the_server_cannot_take_refuses_the_mail(scripted: Any) -> None:
    sender, mail = await scripted(), a_mail()
    mail.replace_header("To", "jörg@example.com")

    with pytest.raises(MailRefused):
        await sender.send(mail)


async def test_no_server_defers_the_mail() -> None:
    with pytest.raises(MailDeferred):
        await SmtpSender(SmtpServer("127.0.0.1", 9, "none")).send(a_mail())
