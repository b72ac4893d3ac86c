"""The settings of payments, read once at start."""

from decimal import Decimal
from typing import Annotated, Final
from urllib.parse import urlsplit

from foundation.settings import HttpUrlText, ServiceSettings, StrongSecrets
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

_LOOPBACK: Final = ("localhost", "127.", "::1", "0.0.0.0")


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("is empty")
    return SecretStr(secret.get_secret_value().strip())


Filled = Annotated[SecretStr, AfterValidator(_filled)]


class PaymentsSettings(ServiceSettings):
    """Environment variables of payments."""

    nowpayments_api_url: HttpUrlText = Field(
        description="base URL of the NOWPayments API with its version, https://.../v1"
    )
    nowpayments_api_key: Filled = Field(description="API key of the NOWPayments account")
    nowpayments_ipn_secrets: StrongSecrets = Field(
        description="IPN secrets, comma-separated, the current one first"
    )
    nowpayments_email: Filled = Field(description="log-in of the NOWPayments account, case counts")
    nowpayments_password: Filled = Field(description="password of the NOWPayments account")
    ipn_callback_url: HttpUrlText = Field(
        description="public URL of this service's POST /webhooks/nowpayments"
    )
    storefront_url: HttpUrlText = Field(description="where customers open the shop")
    underpaid_tolerance_percent: Annotated[Decimal, Field(ge=0, lt=100)] = Field(
        default=Decimal(0),
        description="percent less than asked that still pays an order the gateway calls finished",
    )
    refund_least_amount: Annotated[Decimal, Field(ge=0)] = Field(
        default=Decimal("1.00"),
        description="worth of a surplus, in the order's currency, below which it is only noted",
    )
    reconcile_first_seconds: Annotated[int, Field(gt=0)] = Field(
        default=60, description="seconds until the gateway is first asked about an invoice"
    )

    @field_validator("nowpayments_api_url")
    @classmethod
    def _real_in_production(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("environment") == "development":
            return url
        if not url.startswith("https://") or _is_local(url):
            raise ValueError("must be https and not this machine unless ENVIRONMENT=development")
        return url

    @property
    def gateway_is_local(self) -> bool:
        """Whether the gateway is a stand-in on this machine: no proxy leads to it."""
        return _is_local(self.nowpayments_api_url)


def _is_local(url: str) -> bool:
    return (urlsplit(url).hostname or "").lower().startswith(_LOOPBACK)
