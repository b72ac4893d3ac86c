"""The settings of orders, read once at start."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from foundation.sealing import PublicKey
from foundation.settings import HttpUrlText, SecretRing, ServiceSettings
from pydantic import Field, StringConstraints

from orders.domain.offer import OfferRules

Address = Annotated[str, StringConstraints(pattern=r"^[^@\s<>,]+@[^@\s<>,]+$", max_length=254)]


class OrdersSettings(ServiceSettings):
    """Environment variables of orders."""

    token_signing_keys: SecretRing = Field(
        description="kid:base64url[,...] Ed25519 seeds, first signs; `bitloot keygen` makes it"
    )
    hpke_public_key: PublicKey = Field(description="kid:base64url of delivery's public key")
    storefront_url: HttpUrlText = Field(description="where customers open the shop")
    kinguin_enabled: bool = Field(
        default=False, description="false overrides the stored switch: nothing goes to Kinguin"
    )
    kinguin_api: Literal["esa", "sales-manager"] = Field(
        default="esa", description="sales-manager sells one key a line"
    )
    minimum_total: Annotated[Decimal, Field(gt=0)] = Field(
        default=Decimal("1.00"),
        description="smallest total in the shop's currency that the gateway takes",
    )
    payment_window_minutes: Annotated[int, Field(gt=0)] = Field(
        default=60, description="minutes until an unpaid order expires"
    )
    paid_line_limit_hours: Annotated[int, Field(gt=0)] = Field(
        default=72, description="hours a paid line may wait for its keys, then it is owed back"
    )
    underpaid_hold_hours: Annotated[int, Field(gt=0)] = Field(
        default=24,
        description="hours after its expiry for which keys stay held for an underpaid order",
    )
    bad_key_report_days: Annotated[int, Field(gt=0)] = Field(
        default=14, description="days after it was ready in which a buyer may report a key"
    )
    rollout_success_percent: Annotated[Decimal, Field(ge=0, le=100)] = Field(
        default=Decimal(99),
        description="percent of Kinguin's lines that must have their key within 5 minutes; "
        "below, the rollout goes a step back",
    )
    operator_email: Address | None = Field(
        default=None, description="who is mailed when the shop changes something by itself"
    )
    margin_floor_percent: Annotated[Decimal, Field(ge=0, lt=100)] = Field(
        default=Decimal(0),
        description="percent of the money received that must remain over cost",
    )
    offer_max_age_hours: Annotated[int, Field(ge=2, le=24 * 7)] = Field(
        default=3,
        description="hours for which news of an offer at Kinguin is believed; they come once an "
        "hour at least",
    )

    @property
    def offer_rules(self) -> OfferRules:
        """How far Kinguin's offers are believed, and what must remain over the cost."""
        max_age = timedelta(hours=self.offer_max_age_hours)
        return OfferRules(max_age, self.margin_floor_percent)
