"""A change of keys in the order that docs/operating.md tells: known everywhere, then used.

Services start as after the first step, when delivery knows the next keys besides the present
ones. A replica is told what the second step tells it, and works beside one that was not.
So it is with the secret of payment notifications, which NOWPayments changes in between.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bitloot_cli.deployment_secrets import generate_secrets
from stack.secrets_file import load_secrets

from chaos.steady import Settings

_SEALERS: Final = ("orders", "fulfillment-custom", "fulfillment-kinguin")
"""They seal for delivery by its public key."""

IPN_SECRETS: Final = "NOWPAYMENTS_IPN_SECRETS"


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Settings by service: `before` of all that runs, `after` of the replicas."""

    before: Settings
    after: Settings

    @classmethod
    def prepare(cls, folder: Path) -> "KeyChange":
        """The next keys of the stack that is about to start in a folder."""
        now, made = load_secrets(folder), generate_secrets()
        new = {name: value.get_secret_value() for name, value in made.items()}
        rings = ("KEKS", "HPKE_PRIVATE_KEYS")
        tokens = "TOKEN_SIGNING_KEYS"
        public = {"HPKE_PUBLIC_KEY": new["HPKE_PUBLIC_KEY"]}
        after: dict[str, Mapping[str, str]] = dict.fromkeys(_SEALERS, public)
        ipn = secrets.token_urlsafe(32)
        after["payments"] = {IPN_SECRETS: ipn}
        after["orders"] = public | {tokens: f"{new[tokens]},{now[tokens]}"}
        after["delivery"] = {ring: f"{new[ring]},{now[ring]}" for ring in rings}
        before = {
            "delivery": {ring: f"{now[ring]},{new[ring]}" for ring in rings},
            "orders": {tokens: f"{now[tokens]},{new[tokens]}"},
            "payments": {IPN_SECRETS: f"{ipn},{now['NOWPAYMENTS_IPN_SECRET']}"},
        }
        return cls(before, after)
