"""The parts of a stack whose PostgreSQL, S3 and mail are reached through fault proxies.

Kafka is not: its clients go where the broker says it is. The broker itself is stopped,
paused and started instead.
"""

from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from stack.endpoints import KafkaServer, ObjectStore, PostgresServer
from stack.mailboxes import MailAddress
from stack.part_sources import PartSecrets
from stack.parts import s3
from stack.parts.broker_choice import Broker, choose_broker
from stack.parts.part import Part
from stack.parts.postgres import Postgres
from stack.ports import LOOPBACK, free_port
from stack.processes import ProcessFolder
from stack.watchdog import stop_together

from chaos.mail_faults import FaultyMail
from chaos.tcp_proxy import ProxyHost, TcpProxy


class ProxiedParts:
    """A `PartSource`; after the start the parts and their proxies can be spoilt.

    Those in `direct` have none: every statement through a proxy costs a good part of what it does.
    """

    def __init__(
        self, folder: Path, host: ProxyHost, *, direct: frozenset[str] = frozenset()
    ) -> None:
        self._host = host
        self._direct = direct
        self._secrets = PartSecrets.random()
        self._started: list[Part] = []
        self.processes = ProcessFolder(folder)
        self.postgres_part = Postgres(
            self.processes, port=free_port(), password=self._secrets.postgres, durable=False
        )
        self.broker: Broker = choose_broker(self.processes).build(self.processes, quick_start=True)
        self.mail_server = FaultyMail(folder / "mailbox")
        self.proxies: dict[str, TcpProxy] = {}

    def postgres(self) -> PostgresServer:
        """A PostgreSQL server behind a proxy."""
        self._start(self.postgres_part)
        if "postgres" in self._direct:
            return PostgresServer(self.postgres_part.url)
        address = urlsplit(self.postgres_part.url)
        proxy = self._proxy("postgres", address.port or 0)
        user = address.netloc.rpartition("@")[0]
        return PostgresServer(address._replace(netloc=f"{user}@{LOOPBACK}:{proxy.port}").geturl())

    def kafka(self) -> KafkaServer:
        """A Kafka broker."""
        self._start(self.broker)
        return KafkaServer(
            self.broker.bootstrap_servers, self.broker.kind, self.broker.version, None
        )

    def object_store(self) -> ObjectStore:
        """An S3 server behind a proxy, with a bucket."""
        server = s3.S3(self.processes, port=free_port())
        self._start(server)
        proxy = self._proxy("s3", urlsplit(server.endpoint_url).port or 0)
        store = ObjectStore(
            server.endpoint_url, s3.BUCKET, s3.ACCESS_KEY_ID, self._secrets.s3, s3.REGION
        )
        return replace(store, endpoint_url=f"http://{LOOPBACK}:{proxy.port}")

    def mail(self) -> MailAddress:
        """A mail server of our own behind a proxy."""
        self._host.run(self.mail_server.start())
        proxy = self._proxy("mail", self.mail_server.port)
        return MailAddress(LOOPBACK, proxy.port, maildir=str(self.mail_server.maildir))

    def stop(self) -> None:
        """End what was started."""
        self._host.run(self.mail_server.stop())
        names = [part.name for part in self._started]
        stop_together(self.processes, names, at_once=True)
        self._started.clear()

    def _proxy(self, name: str, port: int) -> TcpProxy:
        self.proxies[name] = self._host.proxy(LOOPBACK, port)
        return self.proxies[name]

    def _start(self, part: Part) -> None:
        self._started.append(part)
        part.start()
