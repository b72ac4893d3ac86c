"""`bitloot admin-token`: a token for the admin interfaces, signed with orders' key.

Works from the environment of orders (TOKEN_SIGNING_KEYS, DATABASE_URL); each token leaves a row in
orders' audit log. The token alone goes to stdout, so that it can be captured.
"""

import asyncio
import re
from datetime import timedelta
from typing import Annotated

import typer
from foundation.settings import SecretRing, load_settings
from orders import admin_tokens
from persistence.database import Database
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import DBAPIError
from webkit.tokens import Role

from bitloot_cli.caller import caller
from bitloot_cli.failure import fail

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)


class AdminTokenSettings(BaseSettings):
    """The two settings of orders that are needed."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    token_signing_keys: SecretRing = Field(description="as orders has it; the first key signs")
    database_url: SecretStr = Field(description="orders' database, for the audit row")


def duration(text: str) -> timedelta:
    """Read `90s`, `15m`, `1h` or `7d`.

    Raises:
        typer.BadParameter: another form, zero, or more than 30 days.
    """
    found = re.fullmatch(r"(\d{1,6})([smhd])", text.strip())
    if not found:
        raise typer.BadParameter("must look like 15m, 1h or 7d")
    length = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta() < length <= _LONGEST:
        raise typer.BadParameter("must be more than 0 and at most 30d")
    return length


def admin_token(
    role: Annotated[Role, typer.Option(help="What the token may do; an owner may do everything.")],
    ttl: Annotated[
        timedelta,
        typer.Option(parser=duration, metavar="TTL", help="How long it holds: 15m, 1h, 7d."),
    ] = "1h",  # type: ignore[assignment]  # typer parses the default as it parses the option
) -> None:
    """Print an admin token; needs orders' TOKEN_SIGNING_KEYS and DATABASE_URL; audited."""
    settings = load_settings(AdminTokenSettings)
    try:
        token = asyncio.run(_issue(settings, role, ttl))
    except OSError as error:
        fail(f"PostgreSQL at DATABASE_URL does not answer ({error}): is it running?")
    except DBAPIError as error:
        fail(f"orders' database refuses: {error.orig}; is it migrated, and the password right?")
    typer.echo(token)


async def _issue(settings: AdminTokenSettings, role: Role, lifetime: timedelta) -> str:
    database = Database.connect(settings.database_url, pool_size=1)
    try:
        return await admin_tokens.issue(
            database,
            settings.token_signing_keys,
            role=role,
            lifetime=lifetime,
            actor=f"cli:{caller()}",
        )
    finally:
        await database.dispose()
