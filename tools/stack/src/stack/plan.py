"""What runs in the stack: every service and simulator with its command and its settings.

The settings are those that the services document; nothing of the caller's environment reaches
them but what a program needs to run, and the settings named in `PASSED_ON`.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.endpoints import KafkaServer, ObjectStore
from stack.mailboxes import MailAddress
from stack.ports import LOOPBACK
from stack.processes import Command
from stack.secrets_file import StackSecrets

SERVICES_WITH_DATABASE = (
    "payments",
    "orders",
    "fulfillment-custom",
    "fulfillment-kinguin",
    "delivery",
)
SERVICES = (*SERVICES_WITH_DATABASE, "storefront")
SIMULATORS = ("nowpayments-simulator", "kinguin-simulator")

PASSED_ON = (
    *("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT", "KINGUIN_API", "KINGUIN_REQUESTS_PER_SECOND"),
    *("KINGUIN_POLL_INITIAL_SECONDS", "KINGUIN_POLL_FACTOR"),
    *("KINGUIN_POLL_CAP_SECONDS", "KINGUIN_POLL_MAX_ATTEMPTS"),
)
_SERVICE_GRACE_S = 25.0  # servicekit gives open requests 20 s

Environment = dict[str, str]


@dataclass(frozen=True)
class Plan:
    """Where everything is, once the parts answer."""

    folder: Path
    port_by_name: Mapping[str, int]
    secrets: StackSecrets
    database_url_by_service: Mapping[str, str]
    kafka: KafkaServer
    objects: ObjectStore
    mail: MailAddress
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """The address of a service or simulator."""
        return f"http://{LOOPBACK}:{self.port_by_name[name]}"

    def command(self, name: str, action: str = "serve") -> Command:
        """The command line and environment of a service (`serve`, `migrate`) or a simulator."""
        module = name.replace("-", "_")
        arguments = [sys.executable, "-m", module, *([] if name in SIMULATORS else [action])]
        label = name if action == "serve" else f"{name}-{action}"
        return Command(label, arguments, self.environment(name), grace_s=_SERVICE_GRACE_S)

    def environment(self, name: str) -> Environment:
        """Every variable of one process."""
        passed = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        settings = self._simulator(name) if name in SIMULATORS else self._service(name)
        return (
            settings
            | passed
            | {"PYTHONUNBUFFERED": "1", "NO_PROXY": f"{LOOPBACK},localhost"}
            | dict(self.overrides.get(name, {}))
        )

    def _simulator(self, name: str) -> Environment:
        prefix = name.replace("-", "_").upper()
        options = {
            "HOST": LOOPBACK,
            "PORT": str(self.port_by_name[name]),
            "STATE": str(self.folder / f"{name}.json"),
        }
        if name == "nowpayments-simulator":
            options |= {
                "API_KEY": self.secrets["NOWPAYMENTS_API_KEY"],
                "IPN_SECRET": self.secrets["NOWPAYMENTS_IPN_SECRET"],
                "PASSWORD": self.secrets["NOWPAYMENTS_PASSWORD"],
                "PUBLIC_URL": self.url(name),
            }
        else:
            options |= {
                "API_KEY": self.secrets["KINGUIN_API_KEY"],
                "WEBHOOK_SECRET": self.secrets["KINGUIN_WEBHOOK_SECRET"],
                "WEBHOOK_URL": f"{self.url('fulfillment-kinguin')}/webhooks/kinguin",
            }
        return {f"{prefix}_{key}": value for key, value in options.items()}

    def _service(self, name: str) -> Environment:
        common = {
            "ENVIRONMENT": "development",
            "HOST": LOOPBACK,
            "PORT": str(self.port_by_name[name]),
            "STOREFRONT_URL": self.url("storefront"),
        }
        if name in SERVICES_WITH_DATABASE:
            common |= {
                "DATABASE_URL": self.database_url_by_service[name],
                "KAFKA_BOOTSTRAP_SERVERS": self.kafka.bootstrap_servers,
                "JWKS_URL": f"{self.url('orders')}/.well-known/jwks.json",
            }
        own = {
            "payments": self._payments,
            "orders": self._orders,
            "fulfillment-custom": self._fulfillment,
            "fulfillment-kinguin": self._fulfillment_kinguin,
            "delivery": self._delivery,
            "storefront": self._storefront,
        }
        return common | own[name]()

    def _payments(self) -> Environment:
        return {
            "NOWPAYMENTS_API_URL": f"{self.url('nowpayments-simulator')}/v1",
            "NOWPAYMENTS_API_KEY": self.secrets["NOWPAYMENTS_API_KEY"],
            "NOWPAYMENTS_IPN_SECRETS": self.secrets["NOWPAYMENTS_IPN_SECRET"],
            "NOWPAYMENTS_EMAIL": "shop@bitloot.test",
            "NOWPAYMENTS_PASSWORD": self.secrets["NOWPAYMENTS_PASSWORD"],
            "IPN_CALLBACK_URL": f"{self.url('payments')}/webhooks/nowpayments",
            "REFUND_LEAST_AMOUNT": "1.00",
        }

    def _orders(self) -> Environment:
        return self.secrets.pick("TOKEN_SIGNING_KEYS", "HPKE_PUBLIC_KEY") | {
            "KINGUIN_ENABLED": "true",
            "OFFER_MAX_AGE_HOURS": "3",
            "OPERATOR_EMAIL": "operator@bitloot.test",
        }

    def _fulfillment(self) -> Environment:
        return self.secrets.pick("HPKE_PUBLIC_KEY", "FINGERPRINT_PEPPER")

    def _fulfillment_kinguin(self) -> Environment:
        return self._fulfillment() | {
            "KINGUIN_ENABLED": "true",
            "KINGUIN_API": "esa",
            "KINGUIN_API_URL": f"{self.url('kinguin-simulator')}{kinguin_base_path()}",
            "KINGUIN_API_KEY": self.secrets["KINGUIN_API_KEY"],
            "KINGUIN_WEBHOOK_SECRET": self.secrets["KINGUIN_WEBHOOK_SECRET"],
            "KINGUIN_RATE_SOURCE": "fixed",
            "KINGUIN_EUR_USD_RATE": "1.10",
            "KINGUIN_OFFER_REFRESH_SECONDS": "300",
            # The simulator's euros cost nothing, and runs of thousands of orders are wanted.
            "KINGUIN_SPEND_CAP_HOUR_EUR": "10000000",
            "KINGUIN_SPEND_CAP_DAY_EUR": "10000000",
        }

    def _delivery(self) -> Environment:
        return self.secrets.pick("HPKE_PRIVATE_KEYS", "KEKS", "LINK_SECRET") | {
            "S3_ENDPOINT_URL": self.objects.endpoint_url,
            "S3_BUCKET": self.objects.bucket,
            "S3_ACCESS_KEY_ID": self.objects.access_key_id,
            "S3_SECRET_ACCESS_KEY": self.objects.secret_access_key,
            "S3_REGION": self.objects.region,
            "SMTP_HOST": self.mail.host,
            "SMTP_PORT": str(self.mail.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "BitLoot <shop@bitloot.test>",
        }

    def _storefront(self) -> Environment:
        return {"DELIVERY_URL": self.url("delivery"), "ORDERS_URL": self.url("orders")}


def kinguin_base_path() -> str:
    """Where the simulator serves the dialect that `KINGUIN_API` asks for."""
    return "" if os.environ.get("KINGUIN_API") == "sales-manager" else "/esa/api"
