"""Every pod is given exactly the settings that its model knows, in every overlay and in compose."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bitloot_cli.deployment_secrets import generate_secrets
from bitloot_cli.main import app
from delivery.settings import DeliverySettings
from foundation.settings import DatabaseSettings, KafkaSettings
from fulfillment_custom.settings import CustomSettings
from fulfillment_kinguin.settings import KinguinSettings
from kinguin_simulator import options as kinguin_options
from nowpayments_simulator import options as nowpayments_options
from orders.settings import OrdersSettings
from payments.settings import PaymentsSettings
from pydantic import ValidationError
from pydantic_settings import BaseSettings
from stack.plan import SERVICES, SERVICES_WITH_DATABASE
from storefront.settings import StorefrontSettings
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
Manifest = dict[str, Any]
Environment = dict[str, str]

MODEL_BY_SERVICE: dict[str, type[BaseSettings]] = {
    "payments": PaymentsSettings,
    "orders": OrdersSettings,
    "fulfillment-custom": CustomSettings,
    "fulfillment-kinguin": KinguinSettings,
    "delivery": DeliverySettings,
    "storefront": StorefrontSettings,
}
SECRETS_BY_SERVICE: dict[str, set[str]] = {
    "payments": {
        "NOWPAYMENTS_API_KEY",
        "NOWPAYMENTS_IPN_SECRETS",
        "NOWPAYMENTS_EMAIL",
        "NOWPAYMENTS_PASSWORD",
    },
    "orders": {"TOKEN_SIGNING_KEYS", "HPKE_PUBLIC_KEY"},
    "fulfillment-custom": {"HPKE_PUBLIC_KEY", "FINGERPRINT_PEPPER"},
    "fulfillment-kinguin": {
        "HPKE_PUBLIC_KEY",
        "FINGERPRINT_PEPPER",
        "KINGUIN_API_KEY",
        "KINGUIN_WEBHOOK_SECRET",
    },
    "delivery": {
        "HPKE_PRIVATE_KEYS",
        "KEKS",
        "LINK_SECRET",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
        "SMTP_USERNAME",
        "SMTP_PASSWORD",
    },
    "storefront": set(),
}
# libpq's own variable, not a setting: which CA `ssl=verify-full` trusts.
OF_THE_DRIVER = {"PGSSLROOTCERT"}
LOGIN = {"KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"}
# The simulator's euros have a fixed rate; in Kubernetes the bank says it.
ONLY_IN_COMPOSE = {"HOST", "PORT", "OTEL_EXPORTER_OTLP_ENDPOINT", "KINGUIN_EUR_USD_RATE"}
ONLY_IN_KUBERNETES = LOGIN | {
    *("KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "SMTP_USERNAME", "SMTP_PASSWORD")
}
MADE = {name: value.get_secret_value() for name, value in generate_secrets().items()}


def example(name: str) -> str:
    """A value for a secret that the manifests do not hold."""
    if name == "DATABASE_URL":
        return "postgresql://a:b@c:5432/d"
    return MADE.get(name, "an-example-of-a-secret-0123")


def container_of(manifests: list[Manifest], name: str) -> Manifest:
    [workload] = [
        it
        for it in manifests
        if it["kind"] in {"Deployment", "Job", "CronJob"} and it["metadata"]["name"] == name
    ]
    spec = workload["spec"].get("jobTemplate", workload)["spec"]
    container: Manifest = spec["template"]["spec"]["containers"][0]
    return container


def environment(manifests: list[Manifest], name: str, secrets: set[str]) -> Environment:
    """Every variable of a pod, secrets with example values."""
    config = {
        it["metadata"]["name"]: it.get("data", {}) for it in manifests if it["kind"] == "ConfigMap"
    }
    found: Environment = {}
    container = container_of(manifests, name)
    for source in container["envFrom"]:
        if "configMapRef" in source:
            found |= config[source["configMapRef"]["name"]]
        else:
            found |= {key: example(key) for key in secrets | {"DATABASE_URL"}}
    for entry in container.get("env", []):
        found[entry["name"]] = entry.get("value", example(entry["name"]))
    return found


def of_service(manifests: list[Manifest], name: str) -> Environment:
    secrets = SECRETS_BY_SERVICE[name]
    is_small = not any(it["kind"] == "Kafka" for it in manifests)
    return environment(manifests, name, secrets | (LOGIN if is_small else set()))


def problems(model: type[BaseSettings], variables: Environment) -> Iterator[str]:
    """Variables that the model does not know, or that it misses or refuses."""
    known = {name.upper() for name in model.model_fields} | OF_THE_DRIVER
    yield from sorted(variables.keys() - known)
    try:
        model.model_validate({key.lower(): value for key, value in variables.items()})
    except ValidationError as error:
        yield from (f"{problem['loc']}: {problem['msg']}" for problem in error.errors())


@pytest.mark.parametrize("service", SERVICES)
def test_environment_is_what_the_settings_model_wants(
    manifests: list[Manifest], overlay: str, service: str
) -> None:
    variables = of_service(manifests, service)
    if overlay == "dev" and service == "delivery":
        variables = {key: it for key, it in variables.items() if not key.startswith("SMTP_US")}

    assert list(problems(MODEL_BY_SERVICE[service], variables)) == []


@pytest.mark.parametrize(
    ("service", "name", "value"),
    [
        ("payments", "NOWPAYMENTS_API_URL", "http://127.0.0.1/v1"),
        ("payments", "NOWPAYMENT_API_URL", "https://api.nowpayments.io/v1"),
        ("payments", "KAFKA_SASL_USERNAME", ""),
        ("fulfillment-kinguin", "KINGUIN_API", "buyer"),
        ("fulfillment-kinguin", "KINGUIN_EUR_USD_RATE", "0"),
        ("delivery", "SMTP_SECURITY", "none"),
        ("delivery", "S3_ENDPOINT_URL", "http://s3"),
        ("storefront", "KAFKA_BOOTSTRAP_SERVERS", "a:1"),
    ],
)
def test_setting_that_is_wrong_is_noticed(
    mutated: Callable[..., list[Manifest]], service: str, name: str, value: str
) -> None:
    entry = {"name": name, "value": value}
    path = "spec.template.spec.containers.0.env.+"
    manifests = mutated("Deployment", service, "metadata.labels.x", "y")
    container_of(manifests, service).setdefault("env", [])
    changed = mutated("Deployment", service, path, entry)

    assert list(problems(MODEL_BY_SERVICE[service], of_service(changed, service))) != []


@pytest.mark.parametrize("place", ["KAFKA_BOOTSTRAP_SERVERS", "STOREFRONT_URL", "JWKS_URL"])
def test_setting_that_no_pod_is_given_is_noticed(
    overlays: dict[str, list[Manifest]], place: str
) -> None:
    for config in overlays["production"]:
        if config["kind"] == "ConfigMap":
            config["data"].pop(place, None)

    lacking = [
        name
        for name in SERVICES
        if place not in of_service(overlays["production"], name)
        and place.lower() in MODEL_BY_SERVICE[name].model_fields
    ]

    assert lacking != []


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_migration_is_given_its_database_and_no_other_secret(
    manifests: list[Manifest], service: str
) -> None:
    variables = environment(manifests, f"{service}-migrate", set())

    plain = {"ENVIRONMENT", "LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
    assert variables.keys() - OF_THE_DRIVER - plain == {"DATABASE_URL"}
    DatabaseSettings.model_validate({"database_url": variables["DATABASE_URL"]})


def test_creation_of_topics_is_told_where_and_as_whom(
    overlays: dict[str, list[Manifest]],
) -> None:
    variables = environment(overlays["small"], "create-topics", LOGIN)
    del variables["DATABASE_URL"]

    assert list(problems(KafkaSettings, variables)) == []


def test_kinguin_is_off_in_production(overlays: dict[str, list[Manifest]]) -> None:
    for name in ("small", "production"):
        for service in ("orders", "fulfillment-kinguin"):
            assert of_service(overlays[name], service)["KINGUIN_ENABLED"] == "false"


def test_only_development_allows_test_doubles(
    overlays: dict[str, list[Manifest]], overlay: str
) -> None:
    told = {of_service(overlays[overlay], name)["ENVIRONMENT"] for name in SERVICES}

    assert told == {"development" if overlay == "dev" else "production"}


# --- verification --------------------------------------------------------------------------------

URLS = {f"{name.replace('-', '_').upper()}_DATABASE_URL" for name in SERVICES_WITH_DATABASE}
BUCKET = {"S3_ENDPOINT_URL", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"}
BOOKS = {
    *("NOWPAYMENTS_API_URL", "NOWPAYMENTS_API_KEY", "NOWPAYMENTS_EMAIL", "NOWPAYMENTS_PASSWORD"),
    *("KINGUIN_API_URL", "KINGUIN_API_KEY"),
}
SECRETS_OF_VERIFICATION = {
    "verify": URLS | {"S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"},
    "reconcile": {
        *("PAYMENTS_DATABASE_URL", "ORDERS_DATABASE_URL", "FULFILLMENT_KINGUIN_DATABASE_URL"),
        *("NOWPAYMENTS_API_KEY", "NOWPAYMENTS_EMAIL", "NOWPAYMENTS_PASSWORD", "KINGUIN_API_KEY"),
    },
}


@pytest.mark.parametrize(("name", "wanted"), [("verify", BUCKET), ("reconcile", BOOKS)])
def test_verification_is_given_what_its_command_reads(
    manifests: list[Manifest], name: str, wanted: set[str]
) -> None:
    variables = environment(manifests, name, SECRETS_OF_VERIFICATION[name])

    assert wanted | SECRETS_OF_VERIFICATION[name] <= variables.keys()
    assert not variables.keys() & {"KEKS", "HPKE_PRIVATE_KEYS", "LINK_SECRET", "SMTP_PASSWORD"}


@pytest.mark.parametrize("name", ["verify", "reconcile"])
def test_command_of_verification_takes_its_arguments(manifests: list[Manifest], name: str) -> None:
    arguments = container_of(manifests, name)["args"]

    assert arguments[0] == name
    answer = CliRunner().invoke(app, [*arguments, "--env-file", "/nowhere"], env={})

    assert answer.exit_code == 1, answer.output
    assert "/nowhere is no file" in answer.output


@pytest.mark.parametrize("name", ["verify", "reconcile"])
def test_store_gives_verification_its_secrets_and_no_others(
    overlays: dict[str, list[Manifest]], name: str
) -> None:
    assert external(overlays["production"], f"{name}-secrets") == SECRETS_OF_VERIFICATION[name]


def test_verification_opens_databases_as_the_role_that_reads(
    overlays: dict[str, list[Manifest]],
) -> None:
    templates = {
        it["metadata"]["name"]: it["spec"]["target"]["template"]["data"]
        for it in overlays["production"]
        if it["kind"] == "ExternalSecret"
    }
    as_writer = {
        (secret, key)
        for secret in ("verify-secrets", "reconcile-secrets")
        for key, value in templates[secret].items()
        if key.endswith("_DATABASE_URL") and not value.startswith("postgresql://verify:")
    }

    assert as_writer == {("reconcile-secrets", "PAYMENTS_DATABASE_URL")}
    assert templates["verify-database"]["username"] == "verify"


# --- the store of secrets ------------------------------------------------------------------------


def external(manifests: list[Manifest], name: str) -> set[str]:
    """What an ExternalSecret puts into its Secret."""
    [found] = [
        it for it in manifests if it["kind"] == "ExternalSecret" and it["metadata"]["name"] == name
    ]
    fetched = {entry["secretKey"] for entry in found["spec"]["data"]}
    used = set(re.findall(r"\{\{ \.(\w+)", str(found["spec"]["target"]["template"]["data"])))
    assert fetched == used
    return set(found["spec"]["target"]["template"]["data"])


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
def test_store_gives_a_service_its_secrets_and_no_others(
    overlays: dict[str, list[Manifest]], service: str
) -> None:
    production = overlays["production"]

    assert external(production, f"{service}-secrets") == {
        "DATABASE_URL",
        *SECRETS_BY_SERVICE[service],
    }
    assert external(production, f"{service}-migrate-secrets") == {"DATABASE_URL"}


@pytest.mark.parametrize("service", SERVICES_WITH_DATABASE)
@pytest.mark.parametrize("kind", ["", "-migrate"])
def test_role_of_the_database_and_url_of_the_service_have_one_password(
    overlays: dict[str, list[Manifest]], service: str, kind: str
) -> None:
    secrets = {
        it["metadata"]["name"]: it["spec"]
        for it in overlays["production"]
        if it["kind"] == "ExternalSecret"
    }
    url = secrets[f"{service}{kind}-secrets"]["target"]["template"]["data"]["DATABASE_URL"]
    role = secrets[f"{service}{kind}-database"]["target"]["template"]
    sources = {
        str(entry["remoteRef"])
        for name in (f"{service}{kind}-secrets", f"{service}{kind}-database")
        for entry in secrets[name]["data"]
        if entry["secretKey"] == "DATABASE_PASSWORD"
    }

    assert len(sources) == 1
    assert role["type"] == "kubernetes.io/basic-auth"
    assert f"postgresql://{role['data']['username']}:" in url
    assert url.endswith(f"@bitloot-postgres-rw:5432/{service.replace('-', '_')}?ssl=verify-full")


# --- compose -------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_compose_and_kubernetes_have_the_same_settings(
    overlays: dict[str, list[Manifest]], service: str
) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    there = compose["services"][service]["environment"].keys() - ONLY_IN_COMPOSE
    here = of_service(overlays["small"], service).keys() - ONLY_IN_KUBERNETES

    # orders checks tokens with its own keys; compose gives it the address all the same.
    assert there - here <= {"JWKS_URL"}
    assert here - there <= set()


@pytest.mark.parametrize(
    ("name", "module"),
    [("nowpayments-simulator", nowpayments_options), ("kinguin-simulator", kinguin_options)],
)
def test_stand_in_takes_its_options(
    overlays: dict[str, list[Manifest]], name: str, module: Any
) -> None:
    prefix = module.ENVIRONMENT_PREFIX
    given = {entry["name"]: entry["value"] for entry in container_of(overlays["dev"], name)["env"]}
    secrets = {f"{prefix}API_KEY": "k", f"{prefix}IPN_SECRET": "s", f"{prefix}WEBHOOK_SECRET": "s"}

    options = module.parse_options([], given | secrets | {f"{prefix}PASSWORD": "p"})

    assert given.keys() <= {f"{prefix}{field.upper()}" for field in vars(options)}
