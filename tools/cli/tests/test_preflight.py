"""`preflight` against real parts: all is well, and each thing that can be wrong is named."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from bitloot_cli.deployment import SERVICES
from bitloot_cli.deployment_secrets import generate_secrets
from bitloot_cli.main import app
from bitloot_cli.preflight.command import check_deployment
from bitloot_cli.preflight.outcome import Outcome
from contracts.topics import Topic
from foundation.clock import new_id
from foundation.sealing import new_key_pair, new_secret
from stack.mailboxes import Mailbox
from stack.parts.kafka_client import create_topics
from typer.testing import CliRunner

pytestmark = [pytest.mark.integration, pytest.mark.kafka]

Environment = dict[str, str]
AWAY = "127.0.0.1:9"


async def found(variables: Environment, *services: str) -> list[Outcome]:
    return await check_deployment(variables, list(services or SERVICES))


async def failures(variables: Environment, *services: str) -> list[str]:
    return [str(it) for it in await found(variables, *services) if not it.is_ok]


def at(prefix: str, lines: list[str]) -> str:
    """The one line about this."""
    [line] = [line for line in lines if line.startswith(f"FAILED  {prefix}")]
    return line


async def test_deployment_that_works_has_a_line_for_everything(deployment: Environment) -> None:
    outcomes = await found(deployment)

    assert [str(it) for it in outcomes if not it.is_ok] == []
    lines = "\n".join(str(it) for it in outcomes)
    for subject in (
        "payments NOWPAYMENTS_IPN_SECRETS",
        "delivery KEKS",
        "storefront ORDERS_URL",
        "orders HPKE_PUBLIC_KEY and delivery HPKE_PRIVATE_KEYS: a pair",
        "fulfillment-kinguin schema",
        "orders clock of PostgreSQL",
        "payments Kafka",
        "payments NOWPayments status",
        "payments NOWPAYMENTS_API_KEY: accepted",
        "payments NOWPAYMENTS_EMAIL and NOWPAYMENTS_PASSWORD: accepted",
        "fulfillment-kinguin KINGUIN_API_KEY: accepted, balance",
        "delivery bucket",
        "delivery mail server",
        *(f"topic {topic.value}: 12 partitions" for topic in Topic),
    ):
        assert f"ok      {subject}" in lines


async def test_nothing_is_left_behind(deployment: Environment, mailbox: Mailbox) -> None:
    sender = f"{new_id()}@bitloot.test"
    deployment["MAIL_FROM"] = f"BitLoot <{sender}>"
    s3 = boto3.client(
        "s3",
        endpoint_url=deployment["S3_ENDPOINT_URL"],
        aws_access_key_id=deployment["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=deployment["S3_SECRET_ACCESS_KEY"],
        region_name=deployment["S3_REGION"],
    )
    # A bucket of its own: preflights of other tests write to the shared one meanwhile.
    deployment["S3_BUCKET"] = f"preflight-{new_id()}"
    s3.create_bucket(
        Bucket=deployment["S3_BUCKET"],
        CreateBucketConfiguration={"LocationConstraint": deployment["S3_REGION"]},  # type: ignore[typeddict-item]  # the stubs know Amazon's regions only
    )

    assert await failures(deployment, "delivery") == []

    assert s3.list_objects_v2(Bucket=deployment["S3_BUCKET"])["KeyCount"] == 0
    assert not [mail for mail in mailbox.mails() if sender.encode() in mail.source]


async def test_no_line_holds_a_secret(deployment: Environment) -> None:
    deployment["KINGUIN_API_KEY"] = "weak"
    deployment["NOWPAYMENTS_API_KEY"] = "a-wrong-key-nobody-must-read"

    lines = "\n".join(str(it) for it in await found(deployment))

    hidden = ("_KEY", "_KEYS", "SECRET", "SECRETS", "KEKS", "PEPPER", "PASSWORD")
    for name, value in deployment.items():
        if name.endswith(hidden) and name != "HPKE_PUBLIC_KEY":
            assert f"{value} " not in f"{lines} ", name
            assert f": {value}" not in lines


@pytest.mark.parametrize(
    ("change", "subject", "remedy"),
    [
        ({"LINK_SECRET": ""}, "delivery LINK_SECRET: is not set", "set it (base64url of 32 bytes"),
        ({"KEKS": "k1:abc"}, "delivery KEKS: ", "bitloot keygen"),
        ({"NOWPAYMENTS_IPN_SECRETS": "short"}, "payments NOWPAYMENTS_IPN_SECRETS", "too weak"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "kafka"}, "payments KAFKA_BOOTSTRAP_SERVERS", "host:port"),
        ({"SMTP_SECURITY": "ssl"}, "delivery SMTP_SECURITY", "none only in development"),
        ({"KINGUIN_EUR_USD_RATE": "0"}, "fulfillment-kinguin KINGUIN_EUR_USD_RATE", "US dollars"),
        ({"ENVIRONMENT": "production"}, "delivery its settings", "correct them"),
    ],
)
async def test_setting_that_is_wrong_is_named(
    deployment: Environment, change: Environment, subject: str, remedy: str
) -> None:
    service = subject.split(maxsplit=1)[0]

    line = at(subject, await failures(deployment | change, service))

    assert remedy in line


async def test_keys_that_are_no_pair_are_noticed(deployment: Environment) -> None:
    other = {"HPKE_PUBLIC_KEY": new_key_pair().public}

    lines = await failures(deployment | other, "orders", "delivery")

    assert "could never be opened" in at("orders HPKE_PUBLIC_KEY", lines)


async def test_rotation_that_was_not_ended_is_noticed(deployment: Environment) -> None:
    newer = new_key_pair().private.get_secret_value()
    ring = {"HPKE_PRIVATE_KEYS": f"{newer},{deployment['HPKE_PRIVATE_KEYS']}"}

    lines = await failures(deployment | ring, "orders", "delivery")

    assert "is an older key" in at("orders HPKE_PUBLIC_KEY", lines)


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"ORDERS_KINGUIN_ENABLED": "false"}, "KINGUIN_ENABLED of orders, fulfillment-kinguin"),
        ({"ORDERS_KINGUIN_API": "sales-manager"}, "KINGUIN_API of"),
        ({"PAYMENTS_STOREFRONT_URL": "https://other.example"}, "STOREFRONT_URL of"),
        (
            {"FULFILLMENT_CUSTOM_FINGERPRINT_PEPPER": new_secret().get_secret_value()},
            "FINGERPRINT_PEPPER of",
        ),
    ],
)
async def test_services_that_disagree_are_noticed(
    deployment: Environment, change: Environment, subject: str
) -> None:
    assert "not the same" in at(subject, await failures(deployment | change))


async def test_secret_with_two_purposes_is_noticed(deployment: Environment) -> None:
    lines = await failures(deployment | {"TOKEN_SIGNING_KEYS": deployment["KEKS"]})

    assert "bitloot keygen" in at("TOKEN_SIGNING_KEYS and KEKS", lines)


async def test_two_services_on_one_database_are_noticed(deployment: Environment) -> None:
    shared = {"PAYMENTS_DATABASE_URL": deployment["ORDERS_DATABASE_URL"]}

    lines = await failures(deployment | shared, "payments", "orders")

    assert "the same database" in at("DATABASE_URL of payments and orders", lines)
    assert "the database of another service" in at("payments schema", lines)


async def test_database_without_schema_names_the_migration(
    deployment: Environment, new_database: Callable[[], str]
) -> None:
    empty = {"ORDERS_DATABASE_URL": new_database()}

    line = at("orders schema", await failures(deployment | empty, "orders"))

    assert "run `python -m orders migrate`" in line


@pytest.mark.parametrize(
    ("change", "service", "subject"),
    [
        ({"ORDERS_DATABASE_URL": f"postgresql://a:b@{AWAY}/c"}, "orders", "orders PostgreSQL"),
        ({"KAFKA_BOOTSTRAP_SERVERS": AWAY}, "orders", "orders Kafka"),
        ({"S3_ENDPOINT_URL": f"http://{AWAY}"}, "delivery", "delivery bucket"),
        ({"SMTP_PORT": "9"}, "delivery", "delivery mail server"),
        ({"NOWPAYMENTS_API_URL": f"http://{AWAY}/v1"}, "payments", "payments NOWPayments status"),
        ({"KINGUIN_API_URL": f"http://{AWAY}"}, "fulfillment-kinguin", "fulfillment-kinguin KING"),
    ],
)
async def test_part_that_does_not_answer_is_one_line(
    deployment: Environment, change: Environment, service: str, subject: str
) -> None:
    line = at(subject, await failures(deployment | change, service))

    assert "\n" not in line


@pytest.mark.parametrize(
    ("change", "service", "subject"),
    [
        ({"S3_BUCKET": "another-bucket"}, "delivery", "delivery bucket another-bucket"),
        ({"NOWPAYMENTS_API_KEY": "another-key-here"}, "payments", "payments NOWPAYMENTS_API_KEY"),
        ({"NOWPAYMENTS_PASSWORD": "x"}, "payments", "payments NOWPAYMENTS_EMAIL and"),
        ({"KINGUIN_API_KEY": "another-key-here"}, "fulfillment-kinguin", "fulfillment-kinguin K"),
        ({"KAFKA_SECURITY_PROTOCOL": "SSL"}, "orders", "orders Kafka"),
    ],
)
async def test_part_that_refuses_us_is_one_line(
    deployment: Environment, change: Environment, service: str, subject: str
) -> None:
    assert at(subject, await failures(deployment | change, service))


async def test_kinguin_is_not_asked_while_it_is_off(deployment: Environment) -> None:
    off = {"KINGUIN_ENABLED": "false", "KINGUIN_API_URL": f"http://{AWAY}"}

    assert await failures(deployment | off, "fulfillment-kinguin") == []


async def test_missing_topics_and_wrong_partitions_are_named(
    deployment: Environment, own_kafka: Any
) -> None:
    own_kafka.start()
    first, *others = [topic.value for topic in Topic if topic is not Topic.KEY_READY]
    create_topics(own_kafka.bootstrap_servers, [first], partitions=3)
    create_topics(own_kafka.bootstrap_servers, others)
    servers = {"KAFKA_BOOTSTRAP_SERVERS": own_kafka.bootstrap_servers}

    # A new topic is known to the controller before the broker tells of it.
    async with asyncio.timeout(20):
        while len(lines := await failures(deployment | servers, "orders")) > 2:  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    assert "bitloot create-topics" in at("topic key.ready: is missing", lines)
    assert "has 3 partitions" in at(f"topic {first}", lines)


class Login:
    """A mail server's user."""

    def __call__(self, *arguments: Any) -> AuthResult:
        data = arguments[-1]
        is_known = (data.login, data.password) == (b"shop", b"right")
        return AuthResult(success=is_known, handled=False)


@pytest.fixture
def guarded() -> Iterator[Controller]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        object(),
        hostname="127.0.0.1",
        port=port,
        auth_required=True,
        auth_require_tls=False,
        authenticator=Login(),
    )
    controller.start()
    yield controller
    controller.stop()


@pytest.mark.parametrize(("password", "is_ok"), [("right", True), ("wrong", False)])
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_login_of_the_mail_server_is_tried(
    deployment: Environment, guarded: Controller, password: str, *, is_ok: bool
) -> None:
    login = {"SMTP_PORT": str(guarded.port), "SMTP_USERNAME": "shop", "SMTP_PASSWORD": password}

    lines = await failures(deployment | login, "delivery")

    assert (lines == []) is is_ok
    assert is_ok or "check SMTP_USERNAME and SMTP_PASSWORD" in lines[0]


def test_command_reads_a_file_and_ends_with_one_when_something_failed(
    deployment: Environment, tmp_path: Path
) -> None:
    file = tmp_path / "shop.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in deployment.items()))
    command = ["preflight", "--service", "storefront", "--env-file", str(file)]

    well = CliRunner().invoke(app, command)
    file.write_text("ENVIRONMENT=development\n")
    ill = CliRunner().invoke(app, command)

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert well.stdout.splitlines()[-1].endswith("checked, 0 failed")
    assert "FAILED  storefront ORDERS_URL: is not set" in ill.stdout


def test_unknown_service_is_refused() -> None:
    answer = CliRunner().invoke(app, ["preflight", "--service", "billing"])

    assert answer.exit_code == 2


def test_keygen_alone_is_not_enough_and_says_what_lacks(tmp_path: Path) -> None:
    file = tmp_path / "shop.env"
    made = generate_secrets()
    file.write_text("".join(f"{n}={v.get_secret_value()}\n" for n, v in made.items()))

    answer = CliRunner().invoke(app, ["preflight", "--env-file", str(file)])

    assert answer.exit_code == 1
    assert "FAILED  payments DATABASE_URL: is not set" in answer.stdout
