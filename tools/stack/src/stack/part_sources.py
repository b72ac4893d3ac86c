"""Where a test run's parts come from: one port, `PartSource`, with one method a part.

`EmbeddedParts` starts the servers of this package; `stack.containers` starts public images.
"""

import secrets
from pathlib import Path
from typing import Protocol

from stack.endpoints import KafkaServer, ObjectStore, PostgresServer
from stack.mailboxes import Mailbox, Maildir
from stack.parts import s3
from stack.parts.broker_choice import choose_broker
from stack.parts.mail import MailServer
from stack.parts.postgres import Postgres
from stack.ports import free_port
from stack.shared_parts import Address, SharedParts


class PartSource(Protocol):
    """Starts a part when it is first asked for; afterwards names the same one."""

    def postgres(self) -> PostgresServer:
        """A PostgreSQL server."""
        ...

    def kafka(self) -> KafkaServer:
        """A Kafka broker."""
        ...

    def object_store(self) -> ObjectStore:
        """An S3 server with a bucket."""
        ...

    def mailbox(self) -> Mailbox:
        """A mail server that keeps what it takes."""
        ...


class EmbeddedParts:
    """The embedded servers, not durable: their data goes when the run ends."""

    def __init__(self, shared: SharedParts) -> None:
        self._shared = shared

    def postgres(self) -> PostgresServer:
        """PostgreSQL, one server for the run."""
        return PostgresServer(**self._shared.address("postgres", self._start_postgres))

    def kafka(self) -> KafkaServer:
        """The broker that `KAFKA` asks for, or the best there is."""
        return KafkaServer(**self._shared.address("kafka", self._start_kafka))

    def object_store(self) -> ObjectStore:
        """The S3 server of moto with its bucket."""
        return ObjectStore(**self._shared.address("s3", self._start_s3))

    def mailbox(self) -> Mailbox:
        """A mail server of aiosmtpd and its Maildir."""
        address = self._shared.address("mail", self._start_mail)
        return Maildir(address["host"], int(address["port"]), Path(address["folder"]))

    def _start_postgres(self) -> Address:
        password = secrets.token_hex(16)
        server = Postgres(self._shared.folder, port=free_port(), password=password, durable=False)
        server.start()
        return {"url": server.url}

    def _start_kafka(self) -> Address:
        broker = choose_broker().build(self._shared.folder)
        broker.start()
        return {
            "bootstrap_servers": broker.bootstrap_servers,
            "kind": broker.kind,
            "version": broker.version,
        }

    def _start_s3(self) -> Address:
        server = s3.S3(self._shared.folder, port=free_port())
        server.start()
        return {
            "endpoint_url": server.endpoint_url,
            "bucket": s3.BUCKET,
            "access_key_id": s3.ACCESS_KEY_ID,
            "secret_access_key": secrets.token_hex(16),
            "region": s3.REGION,
        }

    def _start_mail(self) -> Address:
        server = MailServer(self._shared.folder, port=free_port())
        server.start()
        return {"host": server.host, "port": str(server.port), "folder": str(server.maildir)}
