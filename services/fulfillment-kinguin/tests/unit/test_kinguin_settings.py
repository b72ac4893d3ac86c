"""Settings: production buys from Kinguin itself, and missing secrets are refused."""

from typing import Any

import pytest
from fulfillment_kinguin.settings import KinguinSettings
from fulfillment_kinguin.testing import API_KEY, some_settings
from pydantic import ValidationError

URL = "postgresql://user:pw@127.0.0.1:5432/db"
GATEWAY = "https://gateway.kinguin.net/esa/api"


IN_PRODUCTION = {
    "environment": "production",
    "kinguin_api_url": GATEWAY,
    "kinguin_eur_usd_rate_date": "2026-11-23",
}


def in_production(**changes: Any) -> KinguinSettings:
    return some_settings(URL, **(IN_PRODUCTION | changes))


def test_production_takes_the_real_gateway() -> None:
    assert in_production().kinguin_api_url == GATEWAY


@pytest.mark.parametrize(
    "url",
    [
        "http://gateway.kinguin.net/esa/api",
        "https://127.0.0.1:9002/esa/api",
        "https://127.9.9.9/esa/api",
        "https://localhost/esa/api",
        "https://LOCALHOST./esa/api",
        "https://kinguin.localhost/esa/api",
        "https://[::1]:9002/esa/api",
        "https://[::ffff:127.0.0.1]/esa/api",
        "https://0.0.0.0/esa/api",
    ],
)
def test_production_refuses_plain_http_and_this_machine(url: str) -> None:
    with pytest.raises(ValidationError, match="KINGUIN_API_URL must be https"):
        in_production(kinguin_api_url=url)


@pytest.mark.parametrize(
    "change",
    [
        {"kinguin_api_key": "short"},
        {"kinguin_webhook_secret": "aaaaaaaaaaaaaaaaaaaaaaaa"},
        {"kinguin_api": "other"},
        {"kinguin_eur_usd_rate": "0"},
        {"kinguin_poll_max_attempts": 0},
        {"kinguin_requests_per_second": 0},
    ],
)
def test_weak_or_wrong_values_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        in_production(**change)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kinguin_eur_usd_rate": None}, "needs KINGUIN_EUR_USD_RATE"),
        ({"kinguin_eur_usd_rate_date": None}, "needs KINGUIN_EUR_USD_RATE_DATE"),
        (
            {"kinguin_rate_source": "ecb", "kinguin_ecb_url": "http://rates.example/daily.xml"},
            "KINGUIN_ECB_URL must be https",
        ),
        (
            {"kinguin_rate_source": "ecb", "kinguin_ecb_url": "https://127.0.0.1/daily.xml"},
            "KINGUIN_ECB_URL must be https",
        ),
    ],
)
def test_production_that_buys_needs_a_rate_of_a_known_day(
    change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        in_production(**change)


def test_bank_as_source_needs_no_rate_in_the_settings() -> None:
    settings = in_production(kinguin_rate_source="ecb", kinguin_eur_usd_rate=None)

    assert settings.kinguin_ecb_url.startswith("https://www.ecb.europa.eu/")


def test_buying_is_off_unless_it_is_switched_on() -> None:
    assert KinguinSettings.model_fields["kinguin_enabled"].default is False


def test_no_secret_is_shown() -> None:
    assert API_KEY not in repr(some_settings(URL))


def test_schedule_comes_from_the_settings() -> None:
    schedule = in_production(kinguin_poll_initial_seconds=1, kinguin_poll_max_attempts=3)

    assert schedule.poll_schedule.delays_s == (1, 2, 4)
