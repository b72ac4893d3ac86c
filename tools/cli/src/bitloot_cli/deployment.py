"""The services of a deployment and the settings of each, from one set of variables.

What all share stands once (`HPKE_PUBLIC_KEY`); what one has to itself stands under its name
(`PAYMENTS_DATABASE_URL` is the DATABASE_URL of payments). In a service's own environment there
are no such names, and plain ones do.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from delivery.settings import DeliverySettings
from foundation.settings import HttpSettings
from fulfillment_custom.settings import CustomSettings
from fulfillment_kinguin.settings import KinguinSettings
from orders.settings import OrdersSettings
from payments.settings import PaymentsSettings
from storefront.settings import StorefrontSettings

MODEL_BY_SERVICE: Final[Mapping[str, type[HttpSettings]]] = {
    "payments": PaymentsSettings,
    "orders": OrdersSettings,
    "fulfillment-custom": CustomSettings,
    "fulfillment-kinguin": KinguinSettings,
    "delivery": DeliverySettings,
    "storefront": StorefrontSettings,
}
SERVICES: Final = tuple(MODEL_BY_SERVICE)

SECRET_SETTINGS: Final = frozenset(
    {
        "DATABASE_URL",
        "FINGERPRINT_PEPPER",
        "HPKE_PRIVATE_KEYS",
        "HPKE_PUBLIC_KEY",
        "KAFKA_SASL_PASSWORD",
        "KAFKA_SASL_USERNAME",
        "KEKS",
        "KINGUIN_API_KEY",
        "KINGUIN_WEBHOOK_SECRET",
        "LINK_SECRET",
        "NOWPAYMENTS_API_KEY",
        "NOWPAYMENTS_EMAIL",
        "NOWPAYMENTS_IPN_SECRETS",
        "NOWPAYMENTS_PASSWORD",
        "S3_ACCESS_KEY_ID",
        "S3_SECRET_ACCESS_KEY",
        "SMTP_PASSWORD",
        "SMTP_USERNAME",
        "TOKEN_SIGNING_KEYS",
    }
)
"""What goes into a Secret; the rest may be read by anybody who reads the manifests."""


def prefix(service: str) -> str:
    """`fulfillment-custom` → `FULFILLMENT_CUSTOM_`."""
    return f"{service.replace('-', '_').upper()}_"


def names(service: str) -> list[str]:
    """The variables that a service reads, in the order of its model."""
    return [field.upper() for field in MODEL_BY_SERVICE[service].model_fields]


def given(variables: Mapping[str, str], service: str, wanted: Iterable[str]) -> dict[str, str]:
    """Those of the wanted variables that the service is given; empty counts as absent."""
    own = prefix(service)
    values = {name: variables.get(f"{own}{name}") or variables.get(name) for name in wanted}
    return {name: value for name, value in values.items() if value}
