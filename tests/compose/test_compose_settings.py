"""Every process gets exactly the settings that its model knows, and they are valid."""

from typing import Any

import pytest
from bitloot_cli.create_bucket import BucketSettings
from delivery.settings import DeliverySettings
from foundation.settings import KafkaSettings
from fulfillment_custom.settings import CustomSettings
from fulfillment_kinguin.settings import KinguinSettings
from kinguin_simulator import options as kinguin_options
from nowpayments_simulator import options as nowpayments_options
from orders.settings import OrdersSettings
from payments.settings import PaymentsSettings
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from stack.compose_demo import compose_plan
from stack.plan import PASSED_ON, SERVICES, SERVICES_WITH_DATABASE
from storefront.settings import StorefrontSettings

MODEL_BY_SERVICE: dict[str, type[BaseSettings]] = {
    "payments": PaymentsSettings,
    "orders": OrdersSettings,
    "fulfillment-custom": CustomSettings,
    "fulfillment-kinguin": KinguinSettings,
    "delivery": DeliverySettings,
    "storefront": StorefrontSettings,
    "topics": KafkaSettings,
    "bucket": BucketSettings,
}
OPTIONS_BY_SIMULATOR = {
    "nowpayments-simulator": nowpayments_options,
    "kinguin-simulator": kinguin_options,
}
SECRETS_BY_SERVICE = {
    "payments": {"NOWPAYMENTS_API_KEY", "NOWPAYMENTS_IPN_SECRETS", "NOWPAYMENTS_PASSWORD"},
    "orders": {"TOKEN_SIGNING_KEYS"},
    "fulfillment-custom": {"FINGERPRINT_PEPPER"},
    "fulfillment-kinguin": {"FINGERPRINT_PEPPER", "KINGUIN_API_KEY", "KINGUIN_WEBHOOK_SECRET"},
    "delivery": {"HPKE_PRIVATE_KEYS", "KEKS", "LINK_SECRET", "S3_SECRET_ACCESS_KEY"},
    "storefront": set(),
}


def problems(name: str, environment: dict[str, str]) -> list[str]:
    """Variables that the model does not know, or that it misses or refuses."""
    model = MODEL_BY_SERVICE[name]
    unknown = sorted(key for key in environment if key.lower() not in model.model_fields)
    given = {key.lower(): value for key, value in environment.items() if value != ""}
    try:
        model.model_validate(given)
    except ValidationError as error:
        return [*unknown, *(str(problem["loc"]) for problem in error.errors())]
    return unknown


@pytest.mark.parametrize("name", sorted(MODEL_BY_SERVICE))
def test_environment_is_what_the_settings_model_wants(compose: Any, name: str) -> None:
    assert problems(name, compose["services"][name]["environment"]) == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("payments", "DATABASE_URL", None),
        ("payments", "NOWPAYMENTS_API_KEYS", "misspelled"),
        ("delivery", "KEKS", "not-a-key"),
        ("delivery", "SMTP_SECURITY", "ssl"),
        ("orders", "KAFKA_BOOTSTRAP_SERVERS", "kafka"),
    ],
)
def test_wrong_environment_is_noticed(
    compose: Any, service: str, key: str, value: str | None
) -> None:
    environment = compose["services"][service]["environment"]
    if value is None:
        del environment[key]
    else:
        environment[key] = value

    assert problems(service, environment) != []


@pytest.mark.parametrize("name", SERVICES_WITH_DATABASE)
def test_migration_has_the_settings_and_the_image_of_its_service(compose: Any, name: str) -> None:
    service, migration = compose["services"][name], compose["services"][f"{name}-migrate"]

    assert migration["environment"] == service["environment"]
    assert migration["image"] == service["image"]
    assert migration["command"] == ["migrate"]


@pytest.mark.parametrize("name", SERVICES)
def test_services_in_containers_and_without_have_the_same_settings(
    compose: Any, variables: dict[str, str], tmp_path: Any, name: str
) -> None:
    known = {field.upper() for field in MODEL_BY_SERVICE[name].model_fields} - {*PASSED_ON}
    embedded = compose_plan(variables, tmp_path).environment(name).keys()

    assert compose["services"][name]["environment"].keys() & known == embedded & known


@pytest.mark.parametrize("name", sorted(OPTIONS_BY_SIMULATOR))
def test_simulator_takes_its_options(compose: Any, name: str) -> None:
    module = OPTIONS_BY_SIMULATOR[name]
    environment = compose["services"][name]["environment"]
    names = {
        f"{module.ENVIRONMENT_PREFIX}{field.upper()}" for field in vars(module.Options("", ""))
    }

    assert environment.keys() <= names
    assert module.parse_options([], environment).state is not None


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_gets_a_secret_of_another(compose: Any, name: str) -> None:
    everyones = set().union(*SECRETS_BY_SERVICE.values())

    given = compose["services"][name]["environment"].keys() & everyones

    assert given == SECRETS_BY_SERVICE[name]


@pytest.mark.parametrize("name", SERVICES_WITH_DATABASE)
def test_service_opens_its_own_database(compose: Any, variables: Any, name: str) -> None:
    role = name.replace("-", "_")
    password = variables[f"{role.upper()}_DATABASE_PASSWORD"]

    url = compose["services"][name]["environment"]["DATABASE_URL"]

    assert url == f"postgresql://{role}:{password}@postgres:5432/{role}"
