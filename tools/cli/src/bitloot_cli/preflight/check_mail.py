"""Delivery's mail server: it speaks TLS as set, and takes the login. No mail is sent."""

from typing import Final

import aiosmtplib
from delivery.settings import DeliverySettings

from bitloot_cli.preflight.outcome import Outcome, failed, ok

_TIMEOUT_S: Final = 15


async def check_mail(settings: DeliverySettings) -> list[Outcome]:
    """One line."""
    subject = f"delivery mail server {settings.smtp_host}:{settings.smtp_port}"
    password = settings.smtp_password
    client = aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password.get_secret_value() if password else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        timeout=_TIMEOUT_S,
    )
    try:
        async with client:
            await client.noop()
    except aiosmtplib.SMTPAuthenticationError as error:
        remedy = "check SMTP_USERNAME and SMTP_PASSWORD"
        return [failed(subject, f"refuses the login with {error.code}", remedy)]
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        remedy = "check SMTP_HOST, SMTP_PORT and SMTP_SECURITY, and whether port 25 is not blocked"
        return [failed(subject, f"cannot be used ({type(error).__name__}: {error})", remedy)]
    return [ok(subject, "takes the login" if settings.smtp_username else "answers, no login set")]
