"""`bitloot admin-token`: a token for the admin interfaces, signed with orders' key.

Works from the environment of orders (TOKEN_SIGNING_KEYS, DATABASE_URL); each token leaves a row in
orders' audit log. The token alone goes to stdout, so that it can be captured.
"""

import asyncio
import re
from datetime import timedelta
from typing import Annotated

import typer
from servicekit.tokens import Role

from bitloot_cli.failure import fail

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=30)


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
    from orders import admin_tokens

    try:
        token = asyncio.run(admin_tokens.issue(role=role, ttl=ttl))
    except OSError as error:
        fail(f"orders' database (DATABASE_URL) does not answer: {error}")
    typer.echo(token)
