"""Where the parts come from: one port, `PartSource`, with one method a part.

`EmbeddedParts` starts the servers of this package; `stack.containers` starts public images.
`SharedPartSource` lets all workers of a test run use what the first of them started.
"""

import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from stack.endpoints import KafkaServer, ObjectStore, PostgresServer
from stack.errors import StackError
from stack.mailboxes import MailAddress
from stack.parts import s3
from stack.parts.broker_choice import BrokerChoice, choose_broker
from stack.parts.mail import MailServer
from stack.parts.part import Part
from stack.parts.postgres import Postgres
from stack.ports import free_port
from stack.processes import ProcessFolder
from stack.shared_parts import SharedParts
from stack.watchdog import stop_together


class PartSource(Protocol):
    """Starts a part when it is asked for, and returns when the part answers."""

    def postgres(self) -> PostgresServer:
        """A PostgreSQL server."""
        ...

    def kafka(self) -> KafkaServer:
        """A Kafka broker."""
        ...

    def object_store(self) -> ObjectStore:
        """An S3 server with a bucket."""
        ...

    def mail(self) -> MailAddress:
        """A mail server that keeps what it takes."""
        ...

    def stop(self) -> None:
        """End what was started."""
        ...


@dataclass(frozen=True)
class PartSecrets:
    """The passwords of the parts."""

    postgres: str
    s3: str

    @classmethod
    def random(cls) -> "PartSecrets":
        """New ones, for parts whose data is thrown away."""
        return cls(secrets.token_hex(16), secrets.token_hex(16))


class EmbeddedParts:
    """The servers of this package, each on a free port.

    `durable` as a production database is; without it data is lost if the machine dies, and the
    parts are killed instead of shut down.
    """

    def __init__(
        self,
        processes: ProcessFolder,
        part_secrets: PartSecrets,
        *,
        durable: bool,
        broker: BrokerChoice | None = None,
    ) -> None:
        self._processes = processes
        self._secrets = part_secrets
        self._durable = durable
        self._broker = broker
        self._started: list[Part] = []

    def postgres(self) -> PostgresServer:
        """PostgreSQL of the wheel."""
        server = Postgres(
            self._processes,
            port=free_port(),
            password=self._secrets.postgres,
            durable=self._durable,
        )
        self._start(server)
        return PostgresServer(server.url)

    def kafka(self) -> KafkaServer:
        """The broker that `KAFKA` asks for, or the best there is."""
        choice = self._broker or choose_broker(self._processes)
        broker = choice.build(self._processes, quick_start=not self._durable)
        self._start(broker)
        return KafkaServer(broker.bootstrap_servers, broker.kind, broker.version, choice.warning)

    def object_store(self) -> ObjectStore:
        """The S3 server of moto with its bucket."""
        server = s3.S3(self._processes, port=free_port())
        self._start(server)
        return ObjectStore(
            server.endpoint_url, s3.BUCKET, s3.ACCESS_KEY_ID, self._secrets.s3, s3.REGION
        )

    def mail(self) -> MailAddress:
        """A mail server of aiosmtpd and its Maildir."""
        server = MailServer(self._processes, port=free_port())
        self._start(server)
        return MailAddress(server.host, server.port, maildir=str(server.maildir))

    def stop(self) -> None:
        """End the servers, all at the same time."""
        names = [part.name for part in self._started]
        stop_together(self._processes, names, at_once=not self._durable)
        self._started.clear()

    def _start(self, part: Part) -> None:
        # Noted first: a part that fails half-way is ended as well.
        self._started.append(part)
        part.start()


def throwaway_parts(folder: Path) -> PartSource:
    """Parts for one test run with their data in `folder`; containers with `STACK=containers`.

    Raises:
        StackError: `STACK` names something else.
    """
    wanted = os.environ.get("STACK", "embedded")
    if wanted == "containers":
        from stack.containers import ContainerParts

        return ContainerParts(folder, PartSecrets.random())
    if wanted != "embedded":
        raise StackError(f"STACK must be embedded or containers, not {wanted!r}")
    return EmbeddedParts(ProcessFolder(folder), PartSecrets.random(), durable=False)


class SharedPartSource:
    """The parts of `inner`, each started once for all workers of a test run."""

    def __init__(self, shared: SharedParts, inner: PartSource) -> None:
        self._shared = shared
        self._inner = inner

    def postgres(self) -> PostgresServer:
        """The run's PostgreSQL server."""
        start = self._inner.postgres
        return PostgresServer(**self._shared.address("postgres", lambda: asdict(start())))

    def kafka(self) -> KafkaServer:
        """The run's broker."""
        start = self._inner.kafka
        return KafkaServer(**self._shared.address("kafka", lambda: asdict(start())))

    def object_store(self) -> ObjectStore:
        """The run's S3 server."""
        start = self._inner.object_store
        return ObjectStore(**self._shared.address("s3", lambda: asdict(start())))

    def mail(self) -> MailAddress:
        """The run's mail server."""
        start = self._inner.mail
        return MailAddress(**self._shared.address("mail", lambda: asdict(start())))

    def stop(self) -> None:
        """Nothing: the run's main process ends them, for other workers may still use them."""
