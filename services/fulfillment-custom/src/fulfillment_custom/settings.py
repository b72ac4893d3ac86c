"""The settings of fulfillment-custom, read once at start."""

from foundation.sealing import PublicKey
from foundation.settings import Secret32, ServiceSettings
from pydantic import Field


class CustomSettings(ServiceSettings):
    """Environment variables of fulfillment-custom."""

    hpke_public_key: PublicKey = Field(description="kid:base64url of delivery's public key")
    fingerprint_pepper: Secret32 = Field(
        description="base64url of 32 bytes, the same in both fulfilment services"
    )
