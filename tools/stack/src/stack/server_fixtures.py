"""A pytest plugin: the servers that adapters of S3 and mail are tried on, real ones included.

`s3_server` and `mail_servers` are parametrised over every server known. One whose program this
machine lacks is skipped, and the last line of the run says so: `make servers` builds it.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import pytest

from stack.endpoints import ObjectStore
from stack.mailboxes import MailAddress
from stack.part_sources import PartSecrets
from stack.parts.certificates import Certificate, make_certificate
from stack.parts.mail import MailServer
from stack.parts.mail_rules import MailRules
from stack.parts.mailpit import MailpitServer
from stack.parts.programs import find_program
from stack.parts.versitygw import VersityGateway
from stack.ports import free_port
from stack.processes import ProcessFolder
from stack.shared_parts import SharedParts

S3_SERVERS = ("moto", "versitygw", "versitygw-tls")
MAIL_SERVERS = ("aiosmtpd", "mailpit")


class RunningMailServer(Protocol):
    """A mail server that was started for a test."""

    @property
    def address(self) -> MailAddress:
        """How clients reach it."""
        ...

    def stop(self, *, at_once: bool = False) -> None:
        """End it."""
        ...


StartMailServer = Callable[[MailRules], MailAddress]


_DEBIAN = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def program(name: str) -> Path:
    """The program, or the test is skipped."""
    found = find_program(name)
    if found is None:
        way = f"apt-get install {_DEBIAN[name]}" if name in _DEBIAN else "`make servers`"
        pytest.skip(f"no {name} on this machine: {way}, or name one by {name.upper()}")
    return found


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A server certificate for 127.0.0.1, and the authority to trust."""
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start_s3(
    request: pytest.FixtureRequest, shared_parts: SharedParts, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], ObjectStore]:
    """A function that starts one of `S3_SERVERS`, once a run; its bucket is there."""

    def find(name: str) -> ObjectStore:
        if name == "moto":
            store: ObjectStore = request.getfixturevalue("s3")
            return store
        path, is_encrypted = program("versitygw"), name == "versitygw-tls"
        note = shared_parts.address(
            name, lambda: _start_gateway(shared_parts.folder, path, is_encrypted=is_encrypted)
        )
        if note["authority"]:
            monkeypatch.setenv("AWS_CA_BUNDLE", note["authority"])
        return ObjectStore(**note["store"])

    return find


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.integration) for name in S3_SERVERS])
def s3_server(
    request: pytest.FixtureRequest, start_s3: Callable[[str], ObjectStore]
) -> ObjectStore:
    """An S3 server with its bucket: every one that is known in turn."""
    return start_s3(request.param)


def _start_gateway(folder: Path, path: Path, *, is_encrypted: bool) -> dict[str, Any]:
    certificate = make_certificate(folder / "certificate") if is_encrypted else None
    gateway = VersityGateway(
        ProcessFolder(folder),
        program=path,
        port=free_port(),
        secret=PartSecrets.random().s3,
        certificate=certificate,
    )
    gateway.start()
    authority = str(certificate.authority) if certificate else None
    return {"store": asdict(gateway.address), "authority": authority}


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.integration) for name in MAIL_SERVERS])
def mail_servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StartMailServer]:
    """A function that starts a mail server by its rules: every kind that is known in turn."""
    processes = ProcessFolder(tmp_path)
    started: list[RunningMailServer] = []
    build = _mailpit if request.param == "mailpit" else _aiosmtpd

    def start(rules: MailRules) -> MailAddress:
        server = build(processes, rules)
        started.append(server)
        server.start()
        return server.address

    yield start
    for server in started:
        server.stop(at_once=True)


def _aiosmtpd(processes: ProcessFolder, rules: MailRules) -> MailServer:
    return MailServer(processes, port=free_port(), rules=rules)


def _mailpit(processes: ProcessFolder, rules: MailRules) -> MailpitServer:
    return MailpitServer(
        processes,
        program=program("mailpit"),
        smtp_port=free_port(),
        api_port=free_port(),
        rules=rules,
    )
