"""The documents are valid, complete, and agree with what is written by hand."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bitloot_docs import __main__ as generator
from bitloot_docs import asyncapi, openapi
from bitloot_docs.services import applications
from contracts import MESSAGES, Topic
from fastapi.openapi.models import OpenAPI
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

REPOSITORY = Path(__file__).parents[3]
TOPIC_ROW = re.compile(r"^\| `([a-z.]+)` \|[^|]+\|[^|]+\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
APPLICATIONS = dict(applications())


@pytest.fixture(scope="module")
def messages() -> dict[str, Any]:
    return asyncapi.document("1.2.3")


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolve(document: dict[str, Any], reference: str) -> Any:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_asyncapi_document_is_valid_and_closed(messages: dict[str, Any]) -> None:
    ApplicationSchema.model_validate(messages)

    assert all(resolve(messages, reference) for reference in references(messages))


def test_every_topic_and_message_is_described(messages: dict[str, Any]) -> None:
    assert set(messages["channels"]) == {topic.value for topic in Topic}
    assert set(messages["components"]["messages"]) == {m.__name__ for m in MESSAGES}


def test_the_table_of_topics_written_by_hand_names_every_sender_and_hearer(
    messages: dict[str, Any],
) -> None:
    readme = (REPOSITORY / "libs/contracts/README.md").read_text()
    rows = re.findall(
        r"^\| `([a-z.]+)` \|[^|]+\|[^|]+\| ([^|]+) \| ([^|]+) \|$", readme, re.MULTILINE
    )
    by_hand = {
        topic: (set(sent.split(", ")), set(heard.split(", "))) for topic, sent, heard in rows
    }

    done: dict[str, tuple[set[str], set[str]]] = {topic.value: (set(), set()) for topic in Topic}
    for name, operation in messages["operations"].items():
        service, action, topic = name.split(".", maxsplit=2)
        done[topic][0 if operation["action"] == action == "send" else 1].add(service)

    assert by_hand.keys() == done.keys()
    for topic, (senders, hearers) in done.items():
        assert senders <= by_hand[topic][0], topic
        assert hearers <= by_hand[topic][1], topic


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_openapi_document_is_valid_and_closed(name: str) -> None:
    described = openapi.document(APPLICATIONS[name])

    OpenAPI.model_validate(described)
    assert all(resolve(described, reference) for reference in references(described))


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_error_is_described_as_the_problem_that_is_sent(name: str) -> None:
    described = openapi.document(APPLICATIONS[name])

    for item in described["paths"].values():
        for operation in item.values():
            assert "422" not in operation["responses"]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


@pytest.mark.parametrize("name", APPLICATIONS)
def test_every_door_says_what_it_does(name: str) -> None:
    described = openapi.document(APPLICATIONS[name])

    silent = [
        f"{method} {path}"
        for path, item in described["paths"].items()
        for method, operation in item.items()
        if not operation.get("description")
    ]
    assert silent == []


def test_check_names_what_is_stale_missing_and_superfluous(tmp_path: Path) -> None:
    for name, text in generator.documents():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert generator.outdated(tmp_path) == []

    changed = json.loads((tmp_path / "asyncapi.json").read_text()) | {"asyncapi": "2.0.0"}
    (tmp_path / "asyncapi.json").write_text(json.dumps(changed))
    (tmp_path / "orders.md").unlink()
    (tmp_path / "left.md").write_text("old")

    assert generator.outdated(tmp_path) == ["asyncapi.json", "left.md", "orders.md"]
