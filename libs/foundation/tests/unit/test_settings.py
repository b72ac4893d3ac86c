import pytest
from foundation.sealing import KeyRing, PublicKey, new_key_pair
from foundation.settings import (
    HttpSettings,
    Secret32,
    SecretRing,
    ServiceSettings,
    StrongSecret,
    StrongSecrets,
    decode_base64url,
    encode_base64url,
    load_settings,
)
from pydantic import Field, SecretBytes, ValidationError
from pydantic_settings import BaseSettings

KEY = encode_base64url(bytes(range(32)))
OTHER_KEY = encode_base64url(bytes(range(32, 64)))
GOOD = {
    "DATABASE_URL": "postgresql://payments:hunter22@127.0.0.1:5432/payments",
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092,127.0.0.1:9093",
}


class SecretSettings(BaseSettings):
    ipn_secrets: StrongSecrets = Field(description="secrets of the gateway")
    api_key: StrongSecret = Field(description="key of the gateway")
    pepper: Secret32 = Field(description="base64url of 32 bytes")
    keks: SecretRing = Field(description="keys that wrap keys")
    hpke_public_key: PublicKey = Field(description="delivery's public key")
    hpke_private_keys: KeyRing = Field(description="delivery's private keys")


PAIR = new_key_pair()
GOOD_SECRETS = {
    "IPN_SECRETS": "current-secret-0001, former-secret-0002",
    "API_KEY": "an-api-key-of-the-gateway",
    "PEPPER": KEY,
    "KEKS": f"b:{KEY},a:{OTHER_KEY}",
    "HPKE_PUBLIC_KEY": PAIR.public,
    "HPKE_PRIVATE_KEYS": PAIR.private.get_secret_value(),
}


class Environment:
    """The variables of one test; nothing else of the machine is seen."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def set(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    names = {*ServiceSettings.model_fields, *SecretSettings.model_fields, "names"}
    for name in names:
        monkeypatch.delenv(name.upper(), raising=False)
    return Environment(monkeypatch)


def refusal(settings_class: type[BaseSettings], capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as caught:
        load_settings(settings_class)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()


def test_defaults_are_those_of_production(environment: Environment) -> None:
    environment.set(GOOD)

    settings = load_settings(ServiceSettings)

    assert (settings.environment, settings.host, settings.log_level) == (
        "production",
        "0.0.0.0",
        "info",
    )
    assert not settings.is_development
    assert settings.jwks_url is None


def test_a_process_without_database_needs_no_variable_at_all(environment: Environment) -> None:
    environment.set({"PORT": "8123", "LOG_LEVEL": "WARNING"})

    settings = load_settings(HttpSettings)

    assert (settings.port, settings.log_level) == (8123, "warning")


def test_each_missing_variable_is_one_line_that_says_what_to_set(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.set({})

    lines = refusal(ServiceSettings, capsys)

    assert [line.split(" (")[0] for line in lines] == [
        "DATABASE_URL is not set: set it",
        "KAFKA_BOOTSTRAP_SERVERS is not set: set it",
    ]
    assert "postgresql://user:password@host:port/database" in lines[0]


def test_an_empty_variable_counts_as_missing(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.set({**GOOD, "DATABASE_URL": ""})

    assert refusal(ServiceSettings, capsys)[0].startswith("DATABASE_URL is not set")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("PORT", "eighty-secret", "PORT: Input should be a valid integer"),
        ("PORT", "70000", "PORT: Input should be less than or equal to 65535"),
        ("ENVIRONMENT", "secret-stage", "ENVIRONMENT: Input should be 'development' or 'pro"),
        ("LOG_LEVEL", "secret", "LOG_LEVEL: Input should be 'debug', 'info', 'warning' or 'error'"),
        ("DATABASE_URL", "mysql://secret", "DATABASE_URL: must start with postgresql://"),
        ("KAFKA_BOOTSTRAP_SERVERS", "secret", "KAFKA_BOOTSTRAP_SERVERS: String should match"),
        ("JWKS_URL", "ftp://secret", "JWKS_URL: String should match pattern"),
    ],
)
def test_a_malformed_variable_is_named_and_its_value_is_not(
    environment: Environment, capsys: pytest.CaptureFixture[str], name: str, value: str, reason: str
) -> None:
    environment.set({**GOOD, name: value})

    (line,) = refusal(ServiceSettings, capsys)

    assert line.startswith(reason)
    assert "secret" not in line


def test_a_list_setting_that_is_no_json_is_named_and_not_shown(
    environment: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    environment.set({"NAMES": "secret, list"})

    class ListSettings(BaseSettings):
        names: list[str]

    assert refusal(ListSettings, capsys) == ["NAMES: is not valid JSON: correct it"]


def test_settings_do_not_change_and_never_show_the_database_password(
    environment: Environment,
) -> None:
    environment.set(GOOD)
    settings = load_settings(ServiceSettings)

    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # the claim of this test
    assert "hunter22" not in f"{settings} {settings!r} {settings.model_dump()}"


def test_good_secrets_are_read_and_masked(environment: Environment) -> None:
    environment.set(GOOD_SECRETS)

    settings = load_settings(SecretSettings)

    assert [s.get_secret_value() for s in settings.ipn_secrets] == [
        "current-secret-0001",
        "former-secret-0002",
    ]
    assert settings.pepper.get_secret_value() == bytes(range(32))
    assert settings.keks.current_id == "b"
    assert settings.keks.get("a") == bytes(range(32, 64))
    assert settings.keks.get("c") is None
    assert str(settings.hpke_private_keys.public_key) == str(settings.hpke_public_key)
    shown = f"{settings!r} {settings.model_dump()}"
    private = PAIR.private.get_secret_value().partition(":")[2]
    assert not [s for s in (KEY, private, "current-secret", "an-api-key") if s in shown]


def test_settings_can_be_built_from_parsed_values(environment: Environment) -> None:
    environment.set(GOOD_SECRETS)
    ring = SecretRing.parse(f"x:{KEY}")

    settings = SecretSettings(keks=ring, pepper=SecretBytes(bytes(range(32))))

    assert settings.keks.key_ids == ("x",)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("API_KEY", "too-short-s3", "is too weak: at least 16 characters are needed"),
        ("API_KEY", "a" * 40, "is too weak: it is not random"),
        ("IPN_SECRETS", "current-secret-0001,short-s3", "is too weak: at least 16 characters"),
        ("IPN_SECRETS", "current-secret-0001,", "is too weak: at least 16 characters"),
        ("PEPPER", KEY[:-3], "must be base64url of exactly 32 bytes"),
        ("PEPPER", "not base64url s3", "is not base64url"),
        ("PEPPER", encode_base64url(bytes(32)), "is too weak: it is not random"),
        ("KEKS", KEY, "must look like kid:base64url"),
        ("KEKS", f"a b:{KEY}", "must look like kid:base64url"),
        ("KEKS", f"a:{KEY},", "must look like kid:base64url"),
        ("KEKS", f"a:{KEY},a:{OTHER_KEY}", "names the same key id twice"),
        ("HPKE_PUBLIC_KEY", f"a:{KEY[:20]}", "must be base64url of exactly 32 bytes"),
        ("HPKE_PRIVATE_KEYS", f"a:{KEY}==x", "is not base64url"),
    ],
)
def test_a_weak_or_malformed_secret_stops_the_process_unseen(
    environment: Environment, capsys: pytest.CaptureFixture[str], name: str, value: str, reason: str
) -> None:
    environment.set({**GOOD_SECRETS, name: value})

    (line,) = refusal(SecretSettings, capsys)

    assert line.startswith(f"{name}: {reason}")
    assert value not in line


@pytest.mark.parametrize("raw", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_base64url_round_trips_with_and_without_padding(raw: bytes) -> None:
    text = encode_base64url(raw)

    assert decode_base64url(text) == raw
    assert decode_base64url(text + "=" * (-len(text) % 4)) == raw


@pytest.mark.parametrize("text", ["a", "ab+c", "ab/c", "a b", "ab\n", "é", "abcd===="])
def test_what_is_not_base64url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not base64url"):
        decode_base64url(text)


@pytest.mark.parametrize("settings_class", [HttpSettings, ServiceSettings])
def test_every_setting_is_described(settings_class: type[BaseSettings]) -> None:
    assert [n for n, f in settings_class.model_fields.items() if not f.description] == []
