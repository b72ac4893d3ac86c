"""Settings of a process, read once from environment variables, and the types of secrets.

No prefix: one process has one environment. A setting that is missing, malformed or weak
stops the process before it opens a socket, with one line a problem on stderr that names
the variable and never its value. Only `__main__` calls `load_settings`.
"""

import re
import sys
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    SecretBytes,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

KEY_BYTES: Final = 32
MIN_SECRET_CHARACTERS: Final = 16
_MIN_DISTINCT: Final = 6
_KEY_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}")


def encode_base64url(raw: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Strict reverse of `encode_base64url`; padding is optional.

    Raises:
        ValueError: another alphabet or an impossible length; the text is not repeated.
    """
    stripped = text.rstrip("=")
    if not _BASE64URL.fullmatch(text) or len(stripped) % 4 == 1:
        raise ValueError("is not base64url")
    return b64decode(stripped + "=" * (-len(stripped) % 4), altchars=b"-_")


def decode_key(text: str, length: int = KEY_BYTES) -> bytes:
    """Read a base64url key of exactly `length` bytes.

    Raises:
        ValueError: not base64url, another length, or visibly not random.
    """
    raw = decode_base64url(text)
    if len(raw) != length:
        raise ValueError(f"must be base64url of exactly {length} bytes; `bitloot keygen` makes one")
    _refuse_few_distinct(raw)
    return raw


def _refuse_few_distinct(text: str | bytes) -> None:
    if len(set(text)) < _MIN_DISTINCT:
        raise ValueError("is too weak: it is not random")


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise ValueError(f"is too weak: at least {MIN_SECRET_CHARACTERS} characters are needed")
    _refuse_few_distinct(secret.get_secret_value())
    return secret


StrongSecret = Annotated[SecretStr, AfterValidator(_strong)]
"""A secret text of at least 16 characters that are not all alike."""


def _split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


StrongSecrets = Annotated[
    tuple[StrongSecret, ...], NoDecode, BeforeValidator(_split_commas), Field(min_length=1)
]
"""Comma-separated secrets for rotation, the first is current."""


@dataclass(frozen=True)
class Base64Secret:
    """`Annotated[SecretBytes, Base64Secret(32)]`: base64url of exactly that many bytes."""

    length: int = KEY_BYTES

    def __get_pydantic_core_schema__(
        self, source: type[SecretBytes], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._decode, handler(source))

    def _decode(self, value: object) -> object:
        return decode_key(value, self.length) if isinstance(value, str) else value


Secret32 = Annotated[SecretBytes, Base64Secret(KEY_BYTES)]
"""The format of FINGERPRINT_PEPPER and LINK_SECRET."""


class SecretRing:
    """Named 32-byte keys, `kid:base64url[,kid2:...]`: the first is current, all may open.

    The format of HPKE_PRIVATE_KEYS, KEKS and TOKEN_SIGNING_KEYS; usable as the type of
    a setting. Neither `repr` nor `str` shows a key.
    """

    __slots__ = ("_key_by_id",)

    def __init__(self, key_by_id: dict[str, bytes]) -> None:
        self._key_by_id = key_by_id

    @classmethod
    def parse(cls, text: "str | SecretStr | SecretRing") -> Self:
        """Read the setting.

        Raises:
            ValueError: a part is malformed, weak, or its key id comes twice.
        """
        if isinstance(text, SecretRing):
            return cls(text.to_dict())
        plain = text.get_secret_value() if isinstance(text, SecretStr) else text
        pairs = [parse_named_key(part) for part in plain.split(",")]
        key_by_id = dict(pairs)
        if len(key_by_id) != len(pairs):
            raise ValueError("names the same key id twice")
        return cls(key_by_id)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls.parse)

    @property
    def current_id(self) -> str:
        """The id of the key that new work uses."""
        return next(iter(self._key_by_id))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """All key ids, the current one first."""
        return tuple(self._key_by_id)

    def get(self, key_id: str) -> bytes | None:
        """The key of that id, or None if the ring does not hold it (any more)."""
        return self._key_by_id.get(key_id)

    def to_dict(self) -> dict[str, bytes]:
        """The plain keys by id, the current one first."""
        return dict(self._key_by_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._key_by_id)}: **********)"


def parse_named_key(text: str) -> tuple[str, bytes]:
    """Read one `kid:base64url(32 bytes)`.

    Raises:
        ValueError: not of that form; the text is not repeated.
    """
    key_id, colon, encoded = text.strip().partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise ValueError("must look like kid:base64url; `bitloot keygen` makes one")
    return key_id, decode_key(encoded)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _postgresql(url: SecretStr) -> SecretStr:
    if not url.get_secret_value().startswith("postgresql://"):
        raise ValueError("must start with postgresql://")
    return url


LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)]
BootstrapServers = Annotated[str, StringConstraints(pattern=r"^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$")]
HttpUrlText = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#]+[^\s]*$")]
"""An absolute http(s) URL, kept as the text it was given as."""


class HttpSettings(BaseSettings):
    """What every process that answers HTTP needs."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    environment: Literal["development", "production"] = Field(
        default="production",
        description="development or production; production refuses test doubles",
    )
    host: str = Field(default="0.0.0.0", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="TCP port to listen on")
    log_level: LogLevel = Field(default="info", description="debug, info, warning or error")
    otel_exporter_otlp_endpoint: HttpUrlText | None = Field(
        default=None, description="base URL of the OTLP/HTTP collector; unset: no traces are sent"
    )

    @property
    def is_development(self) -> bool:
        """Whether test doubles and unencrypted local services are acceptable."""
        return self.environment == "development"


class KafkaSettings(BaseSettings):
    """Where Kafka is, and how to be let in."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    kafka_bootstrap_servers: BootstrapServers = Field(
        description="host:port of Kafka brokers, comma-separated"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="as Kafka's own security.protocol"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how to log in with a SASL protocol"
    )
    kafka_sasl_username: str | None = Field(default=None, description="needed with SASL")
    kafka_sasl_password: SecretStr | None = Field(default=None, description="needed with SASL")
    kafka_ca_file: Path | None = Field(
        default=None, description="PEM file of the brokers' CA; unset: the system's"
    )

    @model_validator(mode="after")
    def _sasl_has_a_user(self) -> Self:
        is_sasl = self.kafka_security_protocol.startswith("SASL_")
        if is_sasl and not (self.kafka_sasl_username and self.kafka_sasl_password):
            raise ValueError(
                f"KAFKA_SECURITY_PROTOCOL={self.kafka_security_protocol} needs "
                "KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD: set both"
            )
        return self


class DatabaseSettings(BaseSettings):
    """Where the database is."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True
    )

    database_url: Annotated[SecretStr, AfterValidator(_postgresql)] = Field(
        description="postgresql://user:password@host:port/database of this service alone"
    )


class ServiceSettings(KafkaSettings, DatabaseSettings, HttpSettings):
    """What every service with a database and Kafka needs."""

    jwks_url: HttpUrlText | None = Field(
        default=None, description="URL of the keys that check bearer tokens (orders' jwks.json)"
    )


S = TypeVar("S", bound=BaseSettings)


def load_settings(settings_class: type[S]) -> S:
    """Read the environment, or end the process with exit code 2 and plain lines on stderr.

    Raises:
        SystemExit: a variable is missing, malformed or weak.
    """
    try:
        return settings_class()
    except ValidationError as error:
        lines = list(_problem_lines(error, settings_class))
    except SettingsError as error:
        # Its text is: error parsing value for field "name" from source "..."
        name = str(error).split('"')[1]
        lines = [f"{name.upper()}: is not valid JSON: correct it"]
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    raise SystemExit(2)


def _problem_lines(error: ValidationError, settings_class: type[BaseSettings]) -> Iterator[str]:
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        if not problem["loc"]:
            yield f"settings: {_reason(problem['msg'])}"
            continue
        name = str(problem["loc"][0])
        field = settings_class.model_fields.get(name)
        wanted = f" ({field.description})" if field and field.description else ""
        if problem["type"] == "missing":
            yield f"{name.upper()} is not set: set it{wanted}"
        else:
            yield f"{name.upper()}: {_reason(problem['msg'])}: correct it{wanted}"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
