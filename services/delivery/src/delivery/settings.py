"""The settings of delivery, read once at start."""

from pathlib import Path
from typing import Annotated, Literal, Self

from foundation.sealing import KeyRing
from foundation.settings import HttpUrlText, Secret32, SecretRing, ServiceSettings
from pydantic import Field, SecretStr, model_validator


class DeliverySettings(ServiceSettings):
    """Environment variables of delivery."""

    hpke_private_keys: KeyRing = Field(
        description="kid:base64url[,...] X25519 private keys, first is current"
    )
    keks: SecretRing | None = Field(
        default=None, description="kid:base64url[,...] key-encryption keys, first wraps"
    )
    keks_file: Path | None = Field(
        default=None, description="file that holds what KEKS would, instead of it"
    )
    link_secret: Secret32 = Field(description="base64url of 32 bytes; signs the mailed links")
    storefront_url: HttpUrlText = Field(description="where mailed links lead, and CORS origin")
    s3_endpoint_url: HttpUrlText = Field(
        description="R2: https://<account>.r2.cloudflarestorage.com"
    )
    s3_bucket: str = Field(description="bucket, exists already")
    s3_access_key_id: str = Field(description="R2 token's access key id")
    s3_secret_access_key: SecretStr = Field(description="R2 token's secret")
    s3_region: str = Field(default="auto", description="R2: auto")
    smtp_host: str = Field(description="mail server")
    smtp_port: Annotated[int, Field(gt=0, le=65535)] = Field(
        default=587, description="465 for tls, 587 for starttls"
    )
    smtp_username: str | None = Field(default=None, description="unset: no login")
    smtp_password: SecretStr | None = Field(default=None, description="unset: no login")
    smtp_security: Literal["tls", "starttls", "none"] = Field(
        default="starttls", description="none only in development"
    )
    mail_from: str = Field(description="Name <address@domain> on a verified domain")
    reveals: Annotated[int, Field(gt=0)] = Field(default=5, description="reveals of one link")
    reveal_hours: Annotated[int, Field(gt=0)] = Field(default=72, description="life of a link")

    @model_validator(mode="after")
    def _one_source_of_keks(self) -> Self:
        if (self.keks is None) == (self.keks_file is None):
            raise ValueError("set exactly one of KEKS and KEKS_FILE; `bitloot keygen` makes KEKS")
        return self

    @model_validator(mode="after")
    def _production_is_encrypted(self) -> Self:
        if self.is_development:
            return self
        if self.smtp_security == "none":
            raise ValueError("SMTP_SECURITY=none is for development: set tls or starttls")
        if not self.s3_endpoint_url.startswith("https://"):
            raise ValueError("S3_ENDPOINT_URL must be https in production")
        return self
