"""`kubernetes-secrets`: each service gets its own secrets, under the names of deploy/k8s."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from bitloot_cli.deployment import MODEL_BY_SERVICE, SECRET_SETTINGS, SERVICES, prefix
from bitloot_cli.deployment_secrets import generate_secrets
from bitloot_cli.main import app
from pydantic import SecretBytes, SecretStr
from typer.testing import CliRunner

WITH_DATABASE = [name for name in SERVICES if name != "storefront"]


@pytest.fixture
def variables() -> dict[str, str]:
    urls = {}
    for name in WITH_DATABASE:
        role = name.replace("-", "_")
        urls[f"{prefix(name)}DATABASE_URL"] = f"postgresql://{role}:pa%2Fss@db:5432/{role}"
        urls[f"{prefix(name)}MIGRATE_DATABASE_URL"] = f"postgresql://{role}_migrate:x@db/{role}"
        urls[f"{prefix(name)}READ_DATABASE_URL"] = f"postgresql://verify:re%2Fad@db/{role}"
    given = dict.fromkeys(SECRET_SETTINGS - {"DATABASE_URL"}, "a-value-of-the-operator")
    made = {name: value.get_secret_value() for name, value in generate_secrets().items()}
    return given | made | urls | {"ORDERS_KAFKA_SASL_PASSWORD": "of-orders-alone"}


def run(tmp_path: Path, variables: dict[str, str], *options: str) -> Any:
    file = tmp_path / "shop.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
    arguments = ["kubernetes-secrets", "--env-file", str(file), "--out", str(tmp_path / "out.json")]
    return CliRunner().invoke(app, [*arguments, *options])


def written(tmp_path: Path) -> dict[str, dict[str, str]]:
    items = json.loads((tmp_path / "out.json").read_text())["items"]
    return {
        item["metadata"]["name"]: {
            key: base64.b64decode(value).decode() for key, value in item["data"].items()
        }
        for item in items
    }


def test_every_service_gets_its_own_secrets_and_no_others(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    answer = run(tmp_path, variables)

    assert answer.exit_code == 0, answer.output
    secrets = written(tmp_path)
    for name in WITH_DATABASE:
        fields = {field.upper() for field in MODEL_BY_SERVICE[name].model_fields}
        assert secrets[f"{name}-secrets"].keys() == fields & SECRET_SETTINGS
        assert secrets[f"{name}-migrate-secrets"].keys() == {"DATABASE_URL"}
        assert "_migrate:" in secrets[f"{name}-migrate-secrets"]["DATABASE_URL"]
    assert "storefront-secrets" not in secrets
    assert "s3-secrets" not in secrets


def test_value_of_one_service_wins_over_the_common_one(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    run(tmp_path, variables)

    secrets = written(tmp_path)

    assert secrets["orders-secrets"]["KAFKA_SASL_PASSWORD"] == "of-orders-alone"
    assert secrets["delivery-secrets"]["KAFKA_SASL_PASSWORD"] == "a-value-of-the-operator"


def test_role_of_the_database_has_the_password_of_the_url(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    run(tmp_path, variables)

    assert written(tmp_path)["orders-database"] == {"username": "orders", "password": "pa/ss"}


def test_verification_reads_everything_and_writes_nothing(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    run(tmp_path, variables)

    secrets = written(tmp_path)

    urls = {f"{prefix(name)}DATABASE_URL" for name in WITH_DATABASE}
    bucket = {"S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"}
    assert secrets["verify-secrets"].keys() == urls | bucket
    assert all("//verify:" in secrets["verify-secrets"][name] for name in urls)
    assert secrets["verify-database"] == {"username": "verify", "password": "re/ad"}


def test_reconcile_writes_to_payments_alone(tmp_path: Path, variables: dict[str, str]) -> None:
    run(tmp_path, variables)

    secrets = written(tmp_path)["reconcile-secrets"]

    assert secrets["PAYMENTS_DATABASE_URL"] == variables["PAYMENTS_DATABASE_URL"]
    assert "//verify:" in secrets["ORDERS_DATABASE_URL"]
    assert "//verify:" in secrets["FULFILLMENT_KINGUIN_DATABASE_URL"]
    assert secrets.keys() - {"NOWPAYMENTS_API_KEY", "KINGUIN_API_KEY"} == {
        *("PAYMENTS_DATABASE_URL", "ORDERS_DATABASE_URL", "FULFILLMENT_KINGUIN_DATABASE_URL"),
        *("NOWPAYMENTS_EMAIL", "NOWPAYMENTS_PASSWORD"),
    }


def test_file_is_for_its_owner_and_its_namespace(tmp_path: Path, variables: dict[str, str]) -> None:
    run(tmp_path, variables, "--namespace", "shop")

    items = json.loads((tmp_path / "out.json").read_text())["items"]

    assert (tmp_path / "out.json").stat().st_mode & 0o777 == 0o600
    assert {item["metadata"]["namespace"] for item in items} == {"shop"}


def test_stand_ins_get_the_other_side_of_the_secrets(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    run(tmp_path, variables, "--stand-ins")

    secrets = written(tmp_path)

    shared = variables["KINGUIN_WEBHOOK_SECRET"]
    assert secrets["kinguin-simulator-secrets"]["KINGUIN_SIMULATOR_WEBHOOK_SECRET"] == shared
    assert secrets["s3-secrets"]["ROOT_ACCESS_KEY"] == variables["S3_ACCESS_KEY_ID"]


@pytest.mark.parametrize(
    "missing",
    [
        "KEKS",
        "ORDERS_DATABASE_URL",
        "DELIVERY_MIGRATE_DATABASE_URL",
        "FULFILLMENT_CUSTOM_READ_DATABASE_URL",
    ],
)
def test_what_is_missing_is_named_and_nothing_is_written(
    tmp_path: Path, variables: dict[str, str], missing: str
) -> None:
    del variables[missing]

    answer = run(tmp_path, variables)

    assert answer.exit_code == 1
    assert missing in answer.stderr
    assert not (tmp_path / "out.json").exists()


def test_existing_file_is_kept(tmp_path: Path, variables: dict[str, str]) -> None:
    run(tmp_path, variables)

    answer = run(tmp_path, variables)

    assert answer.exit_code == 1
    assert "--force" in answer.stderr


def test_every_secret_type_of_the_models_counts_as_secret() -> None:
    secret_types = (SecretStr, SecretBytes)
    by_type = {
        field.upper()
        for model in MODEL_BY_SERVICE.values()
        for field, found in model.model_fields.items()
        if any(kind.__name__ in str(found.annotation) for kind in secret_types)
        or any(word in str(found.annotation) for word in ("SecretRing", "KeyRing", "PublicKey"))
    }

    assert by_type <= SECRET_SETTINGS
