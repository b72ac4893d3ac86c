"""Letters are seen without their secrets, tried again or discarded, and all of it is on record."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from bitloot_cli.main import app
from foundation.clock import new_id
from servicekit.testing import migrated
from stack.fixtures import NewDatabase
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.component

KEY = "AAAAA-BBBBB-CCCCC"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def template(new_database: NewDatabase) -> str:
    return migrated("orders", new_database())


@pytest.fixture
def url(new_database: NewDatabase, template: str) -> str:
    return new_database(template=template)


@pytest.fixture
def run(url: str) -> Run:
    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(
            app, ["dead-letters", *arguments], env={"ORDERS_DATABASE_URL": url, "COLUMNS": "200"}
        )

    return invoke


def rows(url: str, query: str) -> list[dict[str, Any]]:
    async def fetch() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(url)
        found = await connection.fetch(query)
        await connection.close()
        return [dict(row) for row in found]

    return asyncio.run(fetch())


def a_letter(url: str, body: bytes, topic: str = "key.ready", offset: int = 0) -> UUID:
    letter = new_id()

    async def insert() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "INSERT INTO dead_letters (id, consumer, topic, partition, kafka_offset, body, headers,"
            " error, given_up_at) VALUES ($1, 'c', $2, 0, $3, $4, '{}', 'ValueError: no', now())",
            letter,
            topic,
            offset,
            body,
        )
        await connection.close()

    asyncio.run(insert())
    return letter


def test_a_letter_is_listed_and_shown_without_its_secrets(run: Run, url: str) -> None:
    body = {"order_id": "o", "keys": [{"sealed": "ciphertext"}], "note": f"see {KEY}"}
    letter = a_letter(url, json.dumps(body).encode())

    listed, shown = run("list", "orders"), run("show", "orders", str(letter))

    assert str(letter) in listed.stdout
    assert "given up" in listed.stdout
    facts = json.loads(shown.stdout)
    assert facts["body"] == {"order_id": "o", "keys": "***", "note": "see ***"}


def test_what_is_no_json_is_not_shown(run: Run, url: str) -> None:
    letter = a_letter(url, f"key={KEY}".encode())

    shown = run("show", "orders", str(letter))

    assert "bytes that are no JSON" in shown.stdout
    assert KEY not in shown.stdout


def test_a_retry_makes_a_job_and_is_on_record(run: Run, url: str) -> None:
    letter = a_letter(url, b"{}")

    answer = run("retry", "orders", str(letter))

    assert answer.stdout.strip() == "1 dead letters tried again"
    [job] = rows(url, "SELECT kind, subject, attempts FROM jobs")
    assert job == {"kind": "redeliver", "subject": str(letter), "attempts": 0}
    assert rows(url, "SELECT given_up_at FROM dead_letters") == [{"given_up_at": None}]
    [entry] = rows(url, "SELECT action, subject FROM operator_log")
    assert entry == {"action": "dead_letter.retried", "subject": str(letter)}


def test_all_letters_of_a_topic_are_tried_again_however_many(run: Run, url: str) -> None:
    a_letter(url, b"{}", topic="rollout.changed")
    rows(
        url,
        "INSERT INTO dead_letters (id, consumer, topic, partition, kafka_offset, body, headers,"
        " error, given_up_at) SELECT gen_random_uuid(), 'c', 'key.ready', 0, n, '{}', '{}', 'e',"
        " now() FROM generate_series(1, 1200) n",
    )

    listed = run("list", "orders")
    answer = run("retry", "orders", "--topic", "key.ready")

    assert "500 of 1201 dead letters in orders" in listed.stdout
    assert answer.stdout.strip() == "1200 dead letters tried again"
    [left] = rows(url, "SELECT topic FROM dead_letters WHERE given_up_at IS NOT NULL")
    assert left == {"topic": "rollout.changed"}


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(run: Run, url: str) -> None:
    a_letter(url, b"{}", offset=1)
    a_letter(url, b"{}", offset=2)

    answer = run("retry", "orders", "--topic", "key.ready", "--dry-run")

    assert answer.stdout.strip() == "2 dead letters would be tried again"
    assert rows(url, "SELECT * FROM jobs") == []
    assert rows(url, "SELECT * FROM operator_log") == []


def test_a_discarded_letter_is_gone_and_stays_on_record(run: Run, url: str) -> None:
    letter = a_letter(url, b'{"order_id": "o"}')

    answer = run("discard", "orders", str(letter), "--reason", "sent by a test")

    assert answer.exit_code == 0
    assert rows(url, "SELECT * FROM dead_letters") == []
    [entry] = rows(url, "SELECT action, reason, facts FROM operator_log")
    assert (entry["action"], entry["reason"]) == ("dead_letter.discarded", "sent by a test")
    assert json.loads(entry["facts"])["body"] == {"order_id": "o"}


@pytest.mark.parametrize("command", [("retry",), ("discard", "--reason", "sent by a test")])
def test_a_command_of_two_people_at_once_has_one_effect_and_one_row(
    url: str, command: tuple[str, ...]
) -> None:
    letter = a_letter(url, b"{}")
    name, *options = command
    arguments = ["dead-letters", name, "orders", str(letter), *options]
    environment = os.environ | {"ORDERS_DATABASE_URL": url}

    both = [
        subprocess.Popen(
            [sys.executable, "-m", "bitloot_cli", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]

    assert sorted(process.returncode for process in both) == [0, 1]
    assert sum("being tried already, or gone" in text for text in said) == 1
    assert len(rows(url, "SELECT * FROM operator_log")) == 1


def test_a_letter_that_is_gone_is_said_plainly_and_changes_nothing(run: Run, url: str) -> None:
    answer = run("retry", "orders", str(new_id()))

    assert answer.exit_code == 1
    assert "or gone: delivered, discarded, or never there" in answer.stderr
    assert rows(url, "SELECT * FROM operator_log") == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "storefront"), "is no service with dead letters"),
        (("list", "payments"), "set PAYMENTS_DATABASE_URL"),
        (("retry", "orders"), "name the letters, or all of one topic"),
        (("discard", "orders", str(new_id()), "--reason", " "), "say why nothing is lost"),
    ],
)
def test_what_cannot_be_done_is_said_plainly(
    run: Run, arguments: tuple[str, ...], says: str
) -> None:
    answer = run(*arguments)

    assert answer.exit_code in {1, 2}
    assert says in answer.stderr
