"""The command line of a service, as an operator meets it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping

import pytest
from foundation.sealing import new_key_pair, new_secret

pytestmark = pytest.mark.integration


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fulfillment_custom", *arguments],
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def settings(new_database: Callable[[], str]) -> Mapping[str, str]:
    return {
        "ENVIRONMENT": "development",
        "DATABASE_URL": new_database(),
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "HPKE_PUBLIC_KEY": new_key_pair().public,
        "FINGERPRINT_PEPPER": new_secret().get_secret_value(),
        "HOST": "127.0.0.1",
    }


def test_help_names_the_commands() -> None:
    answer = run("--help")

    assert answer.returncode == 0
    assert "serve" in answer.stdout
    assert "migrate" in answer.stdout


def test_missing_and_weak_settings_are_named_and_never_shown(settings: Mapping[str, str]) -> None:
    weak = {**settings, "FINGERPRINT_PEPPER": "c2VjcmV0", "HPKE_PUBLIC_KEY": ""}

    answer = run("serve", **weak)

    assert answer.returncode == 2
    assert [line.partition(" ")[0] for line in answer.stderr.splitlines()] == [
        "HPKE_PUBLIC_KEY",
        "FINGERPRINT_PEPPER:",
    ]
    assert "c2VjcmV0" not in answer.stderr


def test_schema_that_is_missing_is_one_line_with_the_remedy(settings: Mapping[str, str]) -> None:
    answer = run("serve", **settings)

    assert answer.returncode == 1
    assert (
        answer.stderr.strip()
        .splitlines()[-1]
        .endswith("run `python -m fulfillment_custom migrate` with this version")
    )
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_database_that_does_not_answer_is_one_line(
    settings: Mapping[str, str], command: str
) -> None:
    away = {**settings, "DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/c"}

    answer = run(command, **away)

    assert answer.returncode == 1
    assert "PostgreSQL at DATABASE_URL cannot be used" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert "secret" not in answer.stderr


def test_busy_port_is_one_line_with_the_remedy(settings: Mapping[str, str]) -> None:
    assert run("migrate", **settings).returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as busy:
        answer = run("serve", **settings, PORT=str(busy.getsockname()[1]))

    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].endswith("set PORT to a free one")


def test_migration_needs_the_database_and_no_secret(settings: Mapping[str, str]) -> None:
    answer = run("migrate", DATABASE_URL=settings["DATABASE_URL"])

    assert answer.returncode == 0, answer.stderr
