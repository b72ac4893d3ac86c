"""`create-topics` and `create-bucket` against real servers: twice, and against none."""

from typing import Any

import pytest
from bitloot_cli.main import app
from contracts.topics import Topic
from stack.endpoints import ObjectStore
from typer.testing import CliRunner


def bucket_settings(store: ObjectStore, **changed: str) -> dict[str, str]:
    return {
        "S3_ENDPOINT_URL": store.endpoint_url,
        "S3_BUCKET": "a-new-bucket",
        "S3_ACCESS_KEY_ID": store.access_key_id,
        "S3_SECRET_ACCESS_KEY": store.secret_access_key,
        "S3_REGION": "us-east-1",
        **changed,
    }


@pytest.mark.kafka
def test_topics_are_created_once(own_kafka: Any) -> None:
    own_kafka.start()
    environment = {"KAFKA_BOOTSTRAP_SERVERS": own_kafka.bootstrap_servers}

    first = CliRunner().invoke(app, ["create-topics"], env=environment)
    second = CliRunner().invoke(app, ["create-topics"], env=environment)

    assert first.stdout == f"topics: {len(Topic)} created, 0 there already\n"
    assert second.stdout == f"topics: 0 created, {len(Topic)} there already\n"


@pytest.mark.kafka
def test_more_copies_than_brokers_are_refused_in_plain_words(own_kafka: Any) -> None:
    own_kafka.start()
    environment = {"KAFKA_BOOTSTRAP_SERVERS": own_kafka.bootstrap_servers}

    answer = CliRunner().invoke(app, ["create-topics", "--replication", "3"], env=environment)

    assert answer.exit_code == 1
    assert "Kafka refuses topic" in answer.stderr


def test_missing_broker_setting_names_the_variable() -> None:
    answer = CliRunner().invoke(app, ["create-topics"], env={"KAFKA_BOOTSTRAP_SERVERS": None})

    assert answer.exit_code == 2


def test_bucket_is_created_and_left_alone(s3: ObjectStore) -> None:
    answers = [
        CliRunner().invoke(app, ["create-bucket"], env=bucket_settings(s3)) for _ in range(2)
    ]

    assert [answer.exit_code for answer in answers] == [0, 0]
    assert answers[0].stdout == "bucket a-new-bucket: created\n"


def test_s3_server_that_does_not_answer_is_one_plain_line(s3: ObjectStore) -> None:
    environment = bucket_settings(s3, S3_ENDPOINT_URL="http://127.0.0.1:9")

    answer = CliRunner().invoke(app, ["create-bucket"], env=environment)

    assert answer.exit_code == 1
    assert "http://127.0.0.1:9" in answer.stderr
    assert "Traceback" not in answer.stderr
