"""The process behind `mail`. Run as `python -m stack.parts.mail_server --port N --maildir DIR`.

With a certificate it insists on STARTTLS, or with `--tls` speaks TLS from the start. An account
comes as MAIL_USERNAME and MAIL_PASSWORD.
"""

import argparse
import asyncio
import hmac
import os
import signal
import ssl
from pathlib import Path
from typing import Any

from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from stack.ports import LOOPBACK

_LARGEST_MAIL_BYTES = 10 * 1024 * 1024


class StrictMailbox(Mailbox):
    """A Maildir that may take mail for one domain only."""

    def __init__(self, maildir: Path, domain: str | None) -> None:
        super().__init__(maildir)
        self._domain = domain

    async def handle_RCPT(  # noqa: N802  # the name that aiosmtpd looks for
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        """Answer a RCPT command."""
        if self._domain and not address.lower().endswith(f"@{self._domain}"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"


async def serve(options: argparse.Namespace) -> None:
    """Take mails until SIGTERM."""
    loop = asyncio.get_running_loop()
    context = _context(options)
    handler = StrictMailbox(options.maildir, options.domain)
    rules = {**_encryption(options, context), **_login()}

    def connection() -> SMTP:
        return SMTP(
            handler, data_size_limit=_LARGEST_MAIL_BYTES, enable_SMTPUTF8=True, loop=loop, **rules
        )

    outside = context if options.tls else None
    server = await loop.create_server(connection, LOOPBACK, options.port, ssl=outside)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()


def _context(options: argparse.Namespace) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)
    return context


def _encryption(options: argparse.Namespace, context: ssl.SSLContext | None) -> dict[str, Any]:
    # aiosmtpd takes a connection that was encrypted before it came for a plain one.
    is_inside = context is not None and not options.tls
    return {
        "tls_context": context if is_inside else None,
        "require_starttls": is_inside,
        "auth_require_tls": is_inside,
    }


def _login() -> dict[str, Any]:
    username, password = os.environ.get("MAIL_USERNAME"), os.environ.get("MAIL_PASSWORD")
    if not username or not password:
        return {}

    def check(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: Any
    ) -> AuthResult:
        is_right = (
            isinstance(login, LoginPassword)
            and hmac.compare_digest(login.login, username.encode())
            and hmac.compare_digest(login.password, password.encode())
        )
        return AuthResult(success=is_right, handled=False)

    return {"auth_required": True, "authenticator": check}


def main() -> None:
    """Read the options, serve."""
    parser = argparse.ArgumentParser(description="An SMTP server that fills a Maildir")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--maildir", type=Path, required=True)
    parser.add_argument("--certificate", type=Path, help="PEM; nothing goes unencrypted then")
    parser.add_argument("--key", type=Path, help="PEM, of the certificate")
    parser.add_argument("--tls", action="store_true", help="TLS from the start, not STARTTLS")
    parser.add_argument("--domain", help="the one domain that mail is taken for")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
