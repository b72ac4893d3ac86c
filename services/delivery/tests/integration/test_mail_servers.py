"""SmtpSender on real servers: encryption is enforced, logins and recipients are judged rightly."""

import asyncio
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from delivery.adapters.smtp_sender import SmtpSender, SmtpServer
from delivery.errors import MailDeferred, MailRefused
from pydantic import SecretStr
from stack.mailboxes import MailAddress, wait_for_mails
from stack.parts.certificates import Certificate, make_certificate
from stack.parts.mail_rules import Account, MailRules

ACCOUNT = Account("shop", "a-password-of-the-shop")
ENCRYPTED = ("starttls", "tls")
_WAKE_UP_PIPE = 1
"""What an idle loop of asyncio listens to."""

Start = Callable[[MailRules], MailAddress]


def a_mail(to: str = "ann@example.com") -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "keys@bitloot.example"
    mail["To"] = to
    mail["Subject"] = "Your key is ready"
    mail["Message-ID"] = "<keys.1@bitloot.example>"
    mail.set_content("Grüße, ✓")
    return mail


def a_sender(server: MailAddress, security: Any, account: Account | None = None) -> SmtpSender:
    login = (account.username, SecretStr(account.password)) if account else (None, None)
    return SmtpSender(SmtpServer(server.host, server.port, security, *login))


@pytest.fixture(autouse=True)
async def _connections_end() -> AsyncIterator[None]:
    """TLS is closed by both sides: a loop that ends before the server's answer leaves a socket."""
    yield
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    async with asyncio.timeout(30):
        while len(selector.get_map()) > _WAKE_UP_PIPE:  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.01)


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The servers' certificate, and an environment in which it is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    return certificate


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_mail_arrives_whole_over_tls(
    mail_servers: Start, trusted: Certificate, security: Any
) -> None:
    server = mail_servers(MailRules(security, trusted))

    await a_sender(server, security).send(a_mail())

    [mail] = await wait_for_mails(server.open(), "ann@example.com")
    assert mail.message_id == "<keys.1@bitloot.example>"
    assert mail.text.strip() == "Grüße, ✓"


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_login_that_is_right_may_send(
    mail_servers: Start, trusted: Certificate, security: Any
) -> None:
    server = mail_servers(MailRules(security, trusted, ACCOUNT))

    await a_sender(server, security, ACCOUNT).send(a_mail())

    assert len(await wait_for_mails(server.open(), "ann@example.com")) == 1


@pytest.mark.parametrize("account", [Account("shop", "wrong"), Account("other", "x"), None])
async def test_login_that_is_wrong_defers_every_mail(
    mail_servers: Start, trusted: Certificate, account: Account | None
) -> None:
    server = mail_servers(MailRules("starttls", trusted, ACCOUNT))

    with pytest.raises(MailDeferred, match="SMTP_USERNAME and SMTP_PASSWORD"):
        await a_sender(server, "starttls", account).send(a_mail())

    assert server.open().mails() == []


async def test_refused_recipient_refuses_the_mail(
    mail_servers: Start, trusted: Certificate
) -> None:
    server = mail_servers(MailRules("starttls", trusted, domain="example.com"))
    sender = a_sender(server, "starttls")

    with pytest.raises(MailRefused):
        await sender.send(a_mail("ann@elsewhere.example"))
    await sender.send(a_mail())

    assert [mail.sent_to for mail in server.open().mails()] == [("ann@example.com",)]


@pytest.mark.parametrize("security", ENCRYPTED)
async def test_certificate_that_nobody_vouches_for_gets_no_mail(
    mail_servers: Start, certificate: Certificate, security: Any
) -> None:
    server = mail_servers(MailRules(security, certificate))

    with pytest.raises(MailDeferred):
        await a_sender(server, security).send(a_mail())

    assert server.open().mails() == []


async def test_certificate_of_another_server_gets_no_mail(
    mail_servers: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate(tmp_path / "other", "192.0.2.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.authority))
    server = mail_servers(MailRules("tls", other))

    with pytest.raises(MailDeferred):
        await a_sender(server, "tls").send(a_mail())

    assert server.open().mails() == []


@pytest.mark.parametrize("asked", ENCRYPTED)
async def test_plain_server_gets_no_mail_where_encryption_is_asked_for(
    mail_servers: Start, asked: Any
) -> None:
    server = mail_servers(MailRules())

    with pytest.raises(MailDeferred):
        await a_sender(server, asked).send(a_mail())

    assert server.open().mails() == []


async def test_encrypted_server_takes_nothing_in_plain(
    mail_servers: Start, certificate: Certificate
) -> None:
    server = mail_servers(MailRules("starttls", certificate))

    with pytest.raises(MailDeferred):
        await a_sender(server, "none").send(a_mail())

    assert server.open().mails() == []
