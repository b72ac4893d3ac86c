"""A deployment of real parts: five migrated databases, Kafka, S3, mail and both simulators."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from bitloot_cli.deployment import SERVICES, prefix
from bitloot_cli.deployment_secrets import generate_secrets
from contracts.topics import Topic
from servicekit.testing import migrated
from stack.endpoints import KafkaServer, ObjectStore
from stack.mailboxes import Mailbox

API_KEY = "a-key-for-tests-of-preflight"
SECRET = "a-secret-for-tests-of-preflight"
SIMULATOR_OPTIONS = {
    "NOWPAYMENTS_SIMULATOR_API_KEY": API_KEY,
    "NOWPAYMENTS_SIMULATOR_IPN_SECRET": SECRET,
    "NOWPAYMENTS_SIMULATOR_EMAIL": "shop@bitloot.test",
    "NOWPAYMENTS_SIMULATOR_PASSWORD": SECRET,
    "KINGUIN_SIMULATOR_API_KEY": API_KEY,
    "KINGUIN_SIMULATOR_WEBHOOK_SECRET": SECRET,
}

Environment = dict[str, str]


@contextmanager
def simulator(module: str) -> Iterator[str]:
    """Its address; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", module, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | SIMULATOR_OPTIONS,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield line[line.index("http") :].split()[0].removesuffix("/v1")
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def simulators() -> Iterator[tuple[str, str]]:
    with ExitStack() as stack:
        yield (
            stack.enter_context(simulator("nowpayments_simulator")),
            stack.enter_context(simulator("kinguin_simulator")),
        )


@pytest.fixture(scope="session")
def databases(new_database: Callable[..., str]) -> Environment:
    """`<SERVICE>_DATABASE_URL` of each, at head."""
    return {
        f"{prefix(name)}DATABASE_URL": migrated(name.replace("-", "_"), new_database())
        for name in SERVICES
        if name != "storefront"
    }


@pytest.fixture(scope="session")
def parts(
    databases: Environment,
    kafka: KafkaServer,
    s3: ObjectStore,
    mailbox: Mailbox,
    simulators: tuple[str, str],
) -> Environment:
    """Where everything is and how to be let in."""
    kafka.create_topics([topic.value for topic in Topic])
    nowpayments, kinguin = simulators
    return databases | {
        "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "S3_ENDPOINT_URL": s3.endpoint_url,
        "S3_BUCKET": s3.bucket,
        "S3_ACCESS_KEY_ID": s3.access_key_id,
        "S3_SECRET_ACCESS_KEY": s3.secret_access_key,
        "S3_REGION": s3.region,
        "SMTP_HOST": mailbox.host,
        "SMTP_PORT": str(mailbox.port),
        "NOWPAYMENTS_API_URL": f"{nowpayments}/v1",
        "KINGUIN_API_URL": f"{kinguin.removesuffix('/esa/api')}/esa/api",
    }


@pytest.fixture
def deployment(parts: Environment) -> Environment:
    """Every variable of a deployment that works, for this test alone."""
    made = {name: value.get_secret_value() for name, value in generate_secrets().items()}
    url = "http://127.0.0.1:9"
    return (
        parts
        | made
        | {
            "ENVIRONMENT": "development",
            "JWKS_URL": f"{url}/.well-known/jwks.json",
            "STOREFRONT_URL": url,
            "ORDERS_URL": url,
            "DELIVERY_URL": url,
            "IPN_CALLBACK_URL": f"{url}/webhooks/nowpayments",
            "NOWPAYMENTS_API_KEY": API_KEY,
            "NOWPAYMENTS_IPN_SECRETS": SECRET,
            "NOWPAYMENTS_EMAIL": "shop@bitloot.test",
            "NOWPAYMENTS_PASSWORD": SECRET,
            "KINGUIN_ENABLED": "true",
            "KINGUIN_API_KEY": API_KEY,
            "KINGUIN_WEBHOOK_SECRET": SECRET,
            "KINGUIN_EUR_USD_RATE": "1.10",
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "BitLoot <shop@bitloot.test>",
        }
    )
