import base64
import json
from pathlib import Path

from bitloot_cli.deployment_secrets import SecretFormat, generate_secrets, render
from bitloot_cli.main import app
from foundation.settings import SecretRing, decode_key
from typer.testing import CliRunner

NAMES = [
    "HPKE_PRIVATE_KEYS",
    "HPKE_PUBLIC_KEY",
    "KEKS",
    "TOKEN_SIGNING_KEYS",
    "FINGERPRINT_PEPPER",
    "LINK_SECRET",
]


def test_every_secret_has_the_form_that_the_services_read() -> None:
    plain = {name: value.get_secret_value() for name, value in generate_secrets().items()}

    assert list(plain) == NAMES
    assert SecretRing.parse(plain["KEKS"]).current_id
    assert SecretRing.parse(plain["TOKEN_SIGNING_KEYS"]).current_id
    assert len(decode_key(plain["LINK_SECRET"])) == 32
    private_id, public_id = (plain[name].partition(":")[0] for name in NAMES[:2])
    assert private_id == public_id


def test_two_deployments_share_no_secret() -> None:
    first, second = generate_secrets(), generate_secrets()

    shared = {value.get_secret_value() for value in first.values()} & {
        value.get_secret_value() for value in second.values()
    }
    assert shared == set()


def test_kubernetes_secret_holds_the_same_values_encoded() -> None:
    secrets = generate_secrets()

    manifest = json.loads(render(secrets, SecretFormat.KUBERNETES))

    decoded = {name: base64.b64decode(value).decode() for name, value in manifest["data"].items()}
    assert decoded == {name: value.get_secret_value() for name, value in secrets.items()}


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"

    answer = CliRunner().invoke(app, ["keygen", "--out", str(file)])

    assert answer.exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert [line.partition("=")[0] for line in file.read_text().splitlines()] == NAMES


def test_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "secrets.env"
    file.write_text("precious")

    refused = CliRunner().invoke(app, ["keygen", "--out", str(file)])
    kept = file.read_text()
    forced = CliRunner().invoke(app, ["keygen", "--out", str(file), "--force"])

    assert (refused.exit_code, kept) == (1, "precious")
    assert "--force" in refused.output
    assert (forced.exit_code, file.read_text() != "precious") == (0, True)
    assert list(tmp_path.iterdir()) == [file]


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["keygen", "--out", str(tmp_path / "no" / "secrets.env")])

    assert answer.exit_code == 1
    assert "cannot write" in answer.output
