"""The settings of fulfillment-kinguin, read once at start."""

from datetime import date, timedelta
from decimal import Decimal
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from foundation.sealing import PublicKey
from foundation.settings import HttpUrlText, Secret32, ServiceSettings, StrongSecret
from pydantic import Field, model_validator

from fulfillment_kinguin.domain.guards import SpendCaps
from fulfillment_kinguin.domain.poll_schedule import PollSchedule

PositiveSeconds = Annotated[float, Field(gt=0, le=3600)]


class KinguinSettings(ServiceSettings):
    """Environment variables of fulfillment-kinguin."""

    hpke_public_key: PublicKey = Field(description="kid:base64url of delivery's public key")
    fingerprint_pepper: Secret32 = Field(
        description="base64url of 32 bytes, the same in both fulfilment services"
    )
    kinguin_enabled: bool = Field(
        default=False, description="false overrides the stored switch: nothing new is bought"
    )
    kinguin_api: Literal["esa", "sales-manager"] = Field(
        default="esa", description="which of Kinguin's two dialects KINGUIN_API_URL speaks"
    )
    kinguin_api_url: HttpUrlText = Field(
        description="base URL without a version, for esa https://gateway.kinguin.net/esa/api"
    )
    kinguin_api_key: StrongSecret = Field(description="the store's key, sent as X-Api-Key")
    kinguin_webhook_secret: StrongSecret = Field(
        description="what Kinguin sends as X-Event-Secret; set in its dashboard"
    )
    kinguin_poll_initial_seconds: PositiveSeconds = Field(
        default=2, description="seconds before the first poll of an order"
    )
    kinguin_poll_factor: Annotated[float, Field(ge=1, le=10)] = Field(
        default=2, description="each wait is this times the one before"
    )
    kinguin_poll_cap_seconds: PositiveSeconds = Field(
        default=30, description="the longest wait in seconds while polling fast"
    )
    kinguin_poll_max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        default=10, description="polls before a line counts as delayed"
    )
    kinguin_requests_per_second: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=5, description="most requests a second that this process sends to Kinguin"
    )
    kinguin_rate_source: Literal["fixed", "ecb"] = Field(
        default="fixed",
        description="who says what a euro costs: the settings, or the European Central Bank",
    )
    kinguin_eur_usd_rate: Annotated[Decimal, Field(gt=0)] | None = Field(
        default=None,
        description="fixed: US dollars for one euro, for the price limit of purchases",
    )
    kinguin_eur_usd_rate_date: date | None = Field(
        default=None,
        description="fixed: the day the rate is of, 2026-11-23; without it (development) no age",
    )
    kinguin_ecb_url: HttpUrlText = Field(
        default="https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml",
        description="ecb: where the daily reference rates are",
    )
    kinguin_rate_max_age_hours: Annotated[int, Field(ge=24, le=24 * 365)] = Field(
        default=144,
        description="hours from the start of its day on after which a rate is not believed; "
        "the longest pause of the bank, at Easter, takes 136",
    )
    kinguin_attempts_per_line: Annotated[int, Field(ge=1, le=5)] = Field(
        default=2, description="purchases tried for a line when Kinguin cancels one"
    )

    kinguin_spend_cap_hour_eur: Annotated[Decimal, Field(gt=0)] = Field(
        default=Decimal(1000), description="the most euros spent at Kinguin within any hour"
    )
    kinguin_spend_cap_day_eur: Annotated[Decimal, Field(gt=0)] = Field(
        default=Decimal(5000), description="the most euros spent at Kinguin within any day"
    )
    kinguin_margin_floor_percent: Annotated[Decimal, Field(ge=0, lt=100)] = Field(
        default=Decimal(0), description="percent of the price that must be left over the cost"
    )

    kinguin_offer_refresh_seconds: PositiveSeconds = Field(
        default=300, description="seconds between two looks at an offer that the catalogue uses"
    )

    @property
    def fixed_rate(self) -> Decimal:
        """KINGUIN_EUR_USD_RATE where it is the source.

        Raises:
            ValueError: it is not set; validation has refused that.
        """
        if self.kinguin_eur_usd_rate is None:
            raise ValueError("KINGUIN_EUR_USD_RATE is not set")
        return self.kinguin_eur_usd_rate

    @property
    def rate_max_age(self) -> timedelta:
        """How old an exchange rate may be."""
        return timedelta(hours=self.kinguin_rate_max_age_hours)

    @property
    def spend_caps(self) -> SpendCaps:
        """The most that may be spent."""
        return SpendCaps(self.kinguin_spend_cap_hour_eur, self.kinguin_spend_cap_day_eur)

    @property
    def poll_schedule(self) -> PollSchedule:
        """The waits between polls."""
        return PollSchedule.build(
            initial_s=self.kinguin_poll_initial_seconds,
            factor=self.kinguin_poll_factor,
            cap_s=self.kinguin_poll_cap_seconds,
            max_attempts=self.kinguin_poll_max_attempts,
        )

    @model_validator(mode="after")
    def _production_buys_from_kinguin_itself(self) -> Self:
        if not self.is_development and not _is_public_https(self.kinguin_api_url):
            raise ValueError(
                "KINGUIN_API_URL must be https and not this machine in production: "
                "name Kinguin's own gateway, or set ENVIRONMENT=development"
            )
        return self

    @model_validator(mode="after")
    def _rates_come_from_somewhere(self) -> Self:
        is_fixed = self.kinguin_rate_source == "fixed"
        if is_fixed and self.kinguin_eur_usd_rate is None:
            raise ValueError("KINGUIN_RATE_SOURCE=fixed needs KINGUIN_EUR_USD_RATE")
        if self.is_development or not self.kinguin_enabled:
            return self
        if is_fixed and self.kinguin_eur_usd_rate_date is None:
            raise ValueError(
                "KINGUIN_EUR_USD_RATE needs KINGUIN_EUR_USD_RATE_DATE in production, "
                "or set KINGUIN_RATE_SOURCE=ecb"
            )
        if not is_fixed and not _is_public_https(self.kinguin_ecb_url):
            raise ValueError("KINGUIN_ECB_URL must be https and not this machine in production")
        return self


def _is_public_https(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" and not _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)
