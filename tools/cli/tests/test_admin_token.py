import asyncio
from datetime import timedelta

import asyncpg
import jwt
import pytest
import typer
from bitloot_cli.admin_token import duration
from bitloot_cli.deployment_secrets import generate_secrets
from bitloot_cli.main import app
from persistence.migrations import migrate
from pydantic import SecretStr
from stack.fixtures import NewDatabase
from typer.testing import CliRunner


@pytest.mark.component
async def test_token_carries_its_role_and_leaves_an_audit_row(new_database: NewDatabase) -> None:
    url = new_database()
    await migrate("orders", SecretStr(url))
    keys = generate_secrets()["TOKEN_SIGNING_KEYS"].get_secret_value()
    environment = {"DATABASE_URL": url, "TOKEN_SIGNING_KEYS": keys}

    answer = await run_in_thread(environment)

    claims = jwt.decode(answer, options={"verify_signature": False})
    assert (claims["scope"], claims["role"]) == ("admin", "owner")
    assert claims["exp"] - claims["iat"] == 7200
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT action, subject FROM audit_log")
    await connection.close()
    assert [tuple(row) for row in rows] == [("admin_token.issued", claims["jti"])]


async def run_in_thread(environment: dict[str, str]) -> str:
    """The command runs an event loop of its own."""
    arguments = ["admin-token", "--role", "owner", "--ttl", "2h"]
    answer = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
    assert answer.exit_code == 0, answer.output
    return answer.stdout.strip()


def test_missing_settings_are_named_without_their_values() -> None:
    environment = {"TOKEN_SIGNING_KEYS": "hunter2", "DATABASE_URL": ""}

    answer = CliRunner().invoke(app, ["admin-token", "--role", "owner"], env=environment)

    assert answer.exit_code == 2
    assert "TOKEN_SIGNING_KEYS" in answer.output
    assert "hunter2" not in answer.output


def test_durations_are_read_with_their_units() -> None:
    assert duration("90s") == timedelta(seconds=90)
    assert duration("1h") == timedelta(hours=1)
    assert duration("30d") == timedelta(days=30)


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "31d", "1w", "-1h"])
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        duration(text)
