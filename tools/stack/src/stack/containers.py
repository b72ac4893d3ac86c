"""The parts as containers of public images, for the same tests (`STACK=containers`).

Ports are published on 127.0.0.1. The ids of started containers are noted in the folder, so that
whoever cleans the folder up removes them too, also after a kill.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import docker
from botocore.exceptions import BotoCoreError, ClientError
from docker.errors import DockerException, NotFound
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from stack.endpoints import KafkaServer, ObjectStore, PostgresServer
from stack.errors import PartFailed, StackError
from stack.mailboxes import MailAddress
from stack.part_sources import PartSecrets
from stack.parts.databases import answers as postgres_answers
from stack.parts.kafka_client import broker_answers
from stack.parts.probes import http_answers
from stack.parts.s3 import BUCKET, REGION
from stack.ports import LOOPBACK, free_port
from stack.watchdog import CONTAINERS_NOTE

# As in docker-compose.yml, and named otherwise by the same variables.
KAFKA_IMAGE = os.environ.get("KAFKA_IMAGE", "apache/kafka:4.1.1")
POSTGRES_IMAGE = os.environ.get("POSTGRES_IMAGE", "postgres:18")
S3_IMAGE = os.environ.get("S3_IMAGE", "versity/versitygw:latest")
MAIL_IMAGE = os.environ.get("MAIL_IMAGE", "axllent/mailpit:latest")
_DEADLINE_S = 120.0
_POLL_S = 0.2
_S3_KEY_ID = "bitloot"


class ContainerParts:
    """Starts the public images; `folder` keeps the note of what was started."""

    def __init__(self, folder: Path, part_secrets: PartSecrets) -> None:
        self._folder = folder
        self._secrets = part_secrets
        # Its helper container would be one more image to have; the note does its work.
        testcontainers_config.ryuk_disabled = True

    def postgres(self) -> PostgresServer:
        """PostgreSQL's own image."""
        port = free_port()
        container = DockerContainer(POSTGRES_IMAGE).with_env(
            "POSTGRES_PASSWORD", self._secrets.postgres
        )
        container.with_command("-c max_connections=300 -c fsync=off")
        _publish(container, 5432, port)
        url = f"postgresql://postgres:{self._secrets.postgres}@{LOOPBACK}:{port}/postgres"
        self._start(POSTGRES_IMAGE, container, lambda: postgres_answers(url))
        return PostgresServer(url)

    def kafka(self) -> KafkaServer:
        """Apache Kafka's own image, one combined node."""
        port = free_port()
        container = DockerContainer(KAFKA_IMAGE)
        _publish(container, 9092, port)
        for name, value in _kafka_settings(port).items():
            container.with_env(name, value)
        address = f"{LOOPBACK}:{port}"
        self._start(KAFKA_IMAGE, container, lambda: broker_answers(address))
        return KafkaServer(address, "apache", KAFKA_IMAGE.rpartition(":")[2])

    def object_store(self) -> ObjectStore:
        """Versitygw over a folder of its container."""
        port = free_port()
        container = DockerContainer(S3_IMAGE)
        _publish(container, 7070, port)
        container.with_env("ROOT_ACCESS_KEY", _S3_KEY_ID).with_env("VGW_REGION", REGION)
        container.with_env("ROOT_SECRET_KEY", self._secrets.s3).with_command("posix /tmp")
        url = f"http://{LOOPBACK}:{port}"
        store = ObjectStore(url, BUCKET, _S3_KEY_ID, self._secrets.s3, REGION)
        self._start(S3_IMAGE, container, lambda: _has_bucket(store))
        return store

    def mail(self) -> MailAddress:
        """Mailpit, whose HTTP API shows the mails."""
        smtp, api = free_port(), free_port()
        container = DockerContainer(MAIL_IMAGE)
        _publish(container, 1025, smtp)
        _publish(container, 8025, api)
        url = f"http://{LOOPBACK}:{api}"
        self._start(MAIL_IMAGE, container, lambda: http_answers(f"{url}/readyz"))
        return MailAddress(LOOPBACK, smtp, mailpit_url=url)

    def stop(self) -> None:
        """Remove the containers."""
        remove_containers(self._folder)

    def _start(self, image: str, container: DockerContainer, is_ready: Callable[[], bool]) -> None:
        try:
            container.start()
        except DockerException as error:
            raise StackError(f"{image} cannot be started: {error}") from error
        with (self._folder / CONTAINERS_NOTE).open("a") as note:
            note.write(f"{container.get_wrapped_container().id}\n")
        _wait(image, container, is_ready)


def remove_containers(folder: Path) -> None:
    """Remove every container that the note in `folder` names."""
    note = folder / CONTAINERS_NOTE
    if not note.exists():
        return
    client = docker.from_env()
    for container_id in note.read_text().split():
        try:
            client.containers.get(container_id).remove(force=True, v=True)
        except NotFound:
            continue
    client.close()
    note.unlink()


def _publish(container: DockerContainer, inside: int, outside: int) -> None:
    # Not with_bind_ports, which publishes on every address of the machine.
    container.ports[f"{inside}/tcp"] = (LOOPBACK, outside)  # type: ignore[assignment]  # docker takes pairs


def _wait(image: str, container: DockerContainer, is_ready: Callable[[], bool]) -> None:
    end = time.monotonic() + _DEADLINE_S
    wrapped = container.get_wrapped_container()
    while not is_ready():
        wrapped.reload()
        if wrapped.status == "exited" or time.monotonic() > end:
            output = b"".join(container.get_logs()).decode(errors="replace")
            words = "\n".join(output.splitlines()[-15:])
            raise PartFailed(image, f"ended or did not answer in {_DEADLINE_S:.0f} s:\n{words}")
        time.sleep(_POLL_S)


def _kafka_settings(port: int) -> dict[str, str]:
    settings = {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@localhost:9093",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
    }
    return {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in settings.items()}


def _has_bucket(store: ObjectStore) -> bool:
    """Create the bucket; False while the server does not answer."""
    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        aws_access_key_id=store.access_key_id,
        aws_secret_access_key=store.secret_access_key,
        region_name=store.region,
    )
    try:
        client.create_bucket(
            Bucket=store.bucket,
            CreateBucketConfiguration={"LocationConstraint": store.region},  # type: ignore[typeddict-item]  # the stubs know Amazon's regions only
        )
    except (BotoCoreError, ClientError):
        return False
    return True
