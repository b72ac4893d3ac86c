"""Every secret a deployment needs, made in one place, and the two forms they are written in."""

import base64
import json
from enum import StrEnum

from foundation.sealing import new_key_pair, new_ring, new_secret
from pydantic import SecretStr

Secrets = dict[str, SecretStr]


class SecretFormat(StrEnum):
    """How the secrets are written down."""

    ENV = "env"
    KUBERNETES = "kubernetes"


def generate_secrets() -> Secrets:
    """Fresh values for every secret setting that is ours to choose, by its variable's name.

    The secrets of NOWPayments, Kinguin, R2 and the mail server come from their owners.
    """
    pair = new_key_pair()
    return {
        "HPKE_PRIVATE_KEYS": pair.private,
        "HPKE_PUBLIC_KEY": SecretStr(pair.public),
        "KEKS": new_ring(),
        "TOKEN_SIGNING_KEYS": new_ring(),
        "FINGERPRINT_PEPPER": new_secret(),
        "LINK_SECRET": new_secret(),
    }


def render(secrets: Secrets, form: SecretFormat) -> str:
    """The text of the file, secrets in the clear."""
    plain = {name: value.get_secret_value() for name, value in secrets.items()}
    if form is SecretFormat.ENV:
        return "".join(f"{name}={value}\n" for name, value in plain.items())
    return _kubernetes(plain)


def _kubernetes(plain: dict[str, str]) -> str:
    # JSON is YAML, so that no YAML writer is needed.
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "bitloot"},
        "type": "Opaque",
        "data": {name: base64.b64encode(value.encode()).decode() for name, value in plain.items()},
    }
    return json.dumps(manifest, indent=2) + "\n"
