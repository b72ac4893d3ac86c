"""SMTP through aiosmtplib, with TLS enforced unless settings for local use say otherwise.

4yz answers and everything before DATA are tried again. 5yz are final, but for a refused
login: that is our fault, not the mail's. Whatever breaks after DATA is unknown and tried
again with the same Message-ID (RFC 5321, section 4.2).
"""

from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final, Literal

import aiosmtplib
import structlog
from pydantic import SecretStr

from delivery.errors import MailDeferred, MailRefused

_TIMEOUT_S: Final = 30
_FIRST_FINAL: Final = 500
_LOGIN_CODES: Final = frozenset({530, 534, 535, 538})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mails are handed over."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str | None = None
    password: SecretStr | None = None


class SmtpSender:
    """Hands mails to one server, a connection each."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def send(self, mail: EmailMessage) -> None:
        """Return when the server has accepted it.

        Raises:
            MailRefused: it never will.
            MailDeferred: not now, or it is not known.
        """
        server = self._server
        try:
            await aiosmtplib.send(
                mail,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password.get_secret_value() if server.password else None,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                timeout=_TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _judge(error.recipients[0].code) from error
        except aiosmtplib.SMTPConnectResponseError as error:
            # A server that does not want us says nothing about this mail.
            raise MailDeferred(f"greeted with {error.code}") from error
        except aiosmtplib.SMTPNotSupported as error:
            if str(mail["To"]).isascii():
                raise MailDeferred(type(error).__name__) from error
            raise MailRefused("the server takes no address with such letters") from error
        except aiosmtplib.SMTPResponseException as error:
            raise _judge(error.code) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise MailDeferred(type(error).__name__) from error


def _judge(code: int) -> MailRefused | MailDeferred:
    if code in _LOGIN_CODES:
        _log.error("mail.login_refused", code=code)
        return MailDeferred(f"login refused with {code}: check SMTP_USERNAME and SMTP_PASSWORD")
    if code >= _FIRST_FINAL:
        return MailRefused(f"refused with {code}")
    return MailDeferred(f"deferred with {code}")
