import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from foundation.settings import KafkaSettings
from pydantic import ValidationError
from servicekit.kafka_access import client_options

SASL: dict[str, Any] = {"kafka_sasl_username": "payments", "kafka_sasl_password": "a-password"}


def some_settings(**changes: Any) -> KafkaSettings:
    return KafkaSettings.model_validate({"kafka_bootstrap_servers": "a:9092,b:9092", **changes})


def test_without_further_settings_kafka_is_plain() -> None:
    options = client_options(some_settings())

    assert options["bootstrap_servers"] == ["a:9092", "b:9092"]
    assert options["security_protocol"] == "PLAINTEXT"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_user_logs_in_with_the_mechanism_that_is_set(protocol: str, mechanism: str) -> None:
    settings = some_settings(
        kafka_security_protocol=protocol, kafka_sasl_mechanism=mechanism, **SASL
    )

    options = client_options(settings)

    assert options["security_protocol"] == protocol
    assert options["sasl_mechanism"] == mechanism
    assert options["sasl_plain_username"] == "payments"
    assert options["sasl_plain_password"] == "a-password"


def test_ca_file_is_what_brokers_are_checked_against() -> None:
    settings = some_settings(kafka_security_protocol="SSL", kafka_ca_file=certifi.where())

    context = client_options(settings)["ssl_context"]

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.get_ca_certs()


def test_ca_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    settings = some_settings(kafka_security_protocol="SSL", kafka_ca_file=tmp_path / "none")

    with pytest.raises(OSError, match="No such file"):
        client_options(settings)


@pytest.mark.parametrize("missing", ["kafka_sasl_username", "kafka_sasl_password"])
def test_login_without_user_or_password_is_refused_by_name(missing: str) -> None:
    given = {name: value for name, value in SASL.items() if name != missing}

    with pytest.raises(ValidationError, match="KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"):
        some_settings(kafka_security_protocol="SASL_SSL", **given)
