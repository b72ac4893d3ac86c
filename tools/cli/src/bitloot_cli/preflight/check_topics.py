"""Kafka of each service: it lets the service in, and has every topic as the contracts want it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from contracts.topics import PARTITIONS, Topic
from foundation.settings import KafkaSettings
from servicekit.kafka_access import client_options

from bitloot_cli.preflight.outcome import Outcome, failed, ok
from bitloot_cli.topics import TOPIC_SETTINGS

_TIMEOUT_MS: Final = 10_000
_UNKNOWN_TOPIC: Final = 3
_NOT_AUTHORIZED: Final = 29
_CREATE: Final = "`bitloot create-topics` makes it, or the operator from deploy/k8s"

Described = Mapping[str, Any]


async def check_kafka(service: str, settings: KafkaSettings) -> list[Outcome]:
    """One line for the login, one for each topic that the service is allowed to see."""
    subject = f"{service} Kafka"
    try:
        admin = AIOKafkaAdminClient(request_timeout_ms=_TIMEOUT_MS, **client_options(settings))
        try:
            await admin.start()
            topics = await admin.describe_topics([topic.value for topic in Topic])
            wanted = [it["topic"] for it in topics if it["error_code"] == 0]
            configs = await _configs(admin, wanted)
        finally:
            await admin.close()
    except (KafkaError, OSError) as error:
        problem = (
            f"{settings.kafka_bootstrap_servers} cannot be used ({error or type(error).__name__})"
        )
        remedy = (
            "does it run, and are KAFKA_SECURITY_PROTOCOL, KAFKA_SASL_* and KAFKA_CA_FILE right?"
        )
        return [failed(subject, problem, remedy)]
    return [ok(subject, "lets us in"), *_lines(topics, configs)]


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """The settings of the topics; nothing of those that this user may not read."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    answers = await admin.describe_configs(asked) if asked else []
    return {
        name: {entry[0]: str(entry[1]) for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


def _lines(topics: list[Described], configs: Mapping[str, Mapping[str, str]]) -> Iterator[Outcome]:
    for topic in sorted(topics, key=lambda it: str(it["topic"])):
        if topic["error_code"] != _NOT_AUTHORIZED:
            yield _line(topic, configs.get(topic["topic"]))


def _line(topic: Described, config: Mapping[str, str] | None) -> Outcome:
    name, code = topic["topic"], topic["error_code"]
    subject = f"topic {name}"
    if code == _UNKNOWN_TOPIC:
        return failed(subject, "is missing", _CREATE)
    if code:
        return failed(subject, f"Kafka answers with error {code}", "look at the brokers' logs")
    partitions = len(topic["partitions"])
    if partitions != PARTITIONS:
        remedy = f"delete it while it is empty and make it anew with {PARTITIONS}"
        return failed(subject, f"has {partitions} partitions", remedy)
    wrong = _wrong_settings(config)
    if wrong:
        return failed(subject, ", ".join(wrong), "change its settings with kafka-configs.sh")
    note = f"{partitions} partitions" + ("" if config else ", settings not readable by this user")
    return ok(subject, note)


def _wrong_settings(config: Mapping[str, str] | None) -> list[str]:
    if config is None:
        return []
    return [
        f"{name}={config[name]} and not {value}"
        for name, value in TOPIC_SETTINGS.items()
        if name in config and config[name] != value
    ]
