"""Production refuses what only tests may have, and weak secrets are refused everywhere."""

from typing import Any

import pytest
from payments.settings import PaymentsSettings
from payments.testing import some_settings
from pydantic import SecretStr, ValidationError

DATABASE_URL = "postgresql://u:p@127.0.0.1:5432/payments"


@pytest.mark.parametrize(
    "url",
    [
        "http://api.nowpayments.io/v1",
        "https://127.0.0.1:9001/v1",
        "https://localhost/v1",
        "https://[::1]:9001/v1",
    ],
)
def test_production_refuses_a_stand_in_of_the_gateway(url: str) -> None:
    with pytest.raises(ValidationError, match="must be https"):
        some_settings(DATABASE_URL, environment="production", nowpayments_api_url=url)

    assert some_settings(DATABASE_URL, nowpayments_api_url=url).nowpayments_api_url == url


def test_production_takes_the_real_gateway() -> None:
    url = "https://api.nowpayments.io/v1"

    settings = some_settings(DATABASE_URL, environment="production", nowpayments_api_url=url)

    assert settings.nowpayments_api_url == url


@pytest.mark.parametrize(
    "changes",
    [
        {"nowpayments_ipn_secrets": "short"},
        {"nowpayments_ipn_secrets": "aaaaaaaaaaaaaaaaaaaaaaaa"},
        {"nowpayments_ipn_secrets": ""},
        {"nowpayments_api_key": SecretStr("  ")},
        {"underpaid_tolerance_percent": 100},
        {"underpaid_tolerance_percent": -1},
    ],
)
def test_weak_or_senseless_setting_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        some_settings(DATABASE_URL, **changes)


def test_secrets_are_split_at_commas_trimmed_and_never_shown() -> None:
    settings = some_settings(
        DATABASE_URL, nowpayments_ipn_secrets=" first-secret-0123456 , second-secret-0123456 "
    )

    plain = [secret.get_secret_value() for secret in settings.nowpayments_ipn_secrets]
    assert plain == ["first-secret-0123456", "second-secret-0123456"]
    assert "first-secret" not in repr(settings)
    assert "shop@bitloot.test" not in repr(settings)


def test_every_setting_says_what_it_is() -> None:
    assert all(field.description for field in PaymentsSettings.model_fields.values())
