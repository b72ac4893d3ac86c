"""Every subscriber of every service follows the rules that lose no message."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from contracts import MESSAGES, Topic
from faststream import AckPolicy
from servicekit.runtime import Runtime

PACKAGES = ("payments", "orders", "fulfillment_custom", "fulfillment_kinguin", "delivery")


def runtime_of(package: str) -> Runtime:
    settings = import_module(f"{package}.testing").some_settings("postgresql://a:b@127.0.0.1:1/c")
    return Runtime(import_module(f"{package}.bootstrap").build_service(settings))


def subscribers() -> Iterator[tuple[str, Any]]:
    for package in PACKAGES:
        for subscriber in runtime_of(package).broker.subscribers:
            yield package, subscriber


@pytest.fixture(scope="module")
def everyone() -> list[tuple[str, Any]]:
    return list(subscribers())


def test_no_subscriber_acknowledges_what_failed(everyone: list[tuple[str, Any]]) -> None:
    assert {subscriber.ack_policy for _, subscriber in everyone} == {AckPolicy.NACK_ON_ERROR}


def test_every_group_is_service_and_topic_and_starts_at_the_earliest(
    everyone: list[tuple[str, Any]],
) -> None:
    for package, subscriber in everyone:
        [topic] = subscriber.topic_names
        assert subscriber.group_id == f"{package.replace('_', '-')}.{topic}"
        assert subscriber._connection_args["auto_offset_reset"] == "earliest"
        assert subscriber._connection_args["enable_auto_commit"] is False


def test_every_topic_is_heard(everyone: list[tuple[str, Any]]) -> None:
    heard = {name for _, subscriber in everyone for name in subscriber.topic_names}

    assert heard == {topic.value for topic in Topic}


def test_every_topic_has_one_message() -> None:
    assert sorted(message.topic for message in MESSAGES) == sorted(Topic)
