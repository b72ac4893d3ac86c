"""How a client of Kafka is let in: TLS, and a user with a password.

One reading of the settings for FastStream's broker and for aiokafka's own clients. The
broker's ACLs name the user; what a service may read and write is decided there.
"""

import ssl
from typing import Any, Final

from faststream.kafka.security import parse_security
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from foundation.settings import KafkaSettings

_SASL: Final = {
    "PLAIN": SASLPlaintext,
    "SCRAM-SHA-256": SASLScram256,
    "SCRAM-SHA-512": SASLScram512,
}


def security(settings: KafkaSettings) -> BaseSecurity:
    """What FastStream wants to be told.

    Raises:
        OSError: KAFKA_CA_FILE cannot be read or holds no certificate.
    """
    has_tls = settings.kafka_security_protocol.endswith("SSL")
    context = ssl.create_default_context(cafile=settings.kafka_ca_file) if has_tls else None
    username, password = settings.kafka_sasl_username, settings.kafka_sasl_password
    if not settings.kafka_security_protocol.startswith("SASL_") or not username or not password:
        return BaseSecurity(ssl_context=context, use_ssl=has_tls)
    sasl = _SASL[settings.kafka_sasl_mechanism]
    return sasl(username, password.get_secret_value(), ssl_context=context, use_ssl=has_tls)


def client_options(settings: KafkaSettings) -> dict[str, Any]:
    """The arguments of every client of aiokafka: where, and how.

    Raises:
        OSError: as `security`.
    """
    servers = settings.kafka_bootstrap_servers.split(",")
    return {"bootstrap_servers": servers, **parse_security(security(settings))}
