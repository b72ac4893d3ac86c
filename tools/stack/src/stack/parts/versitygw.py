"""Versity Gateway, the S3 server of the compose stack, as a process over a folder.

Signatures are checked and objects are files, unlike with the embedded stack's own S3 server.
"""

from pathlib import Path

from stack.endpoints import ObjectStore
from stack.parts.certificates import Certificate
from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.parts.s3 import ACCESS_KEY_ID, BUCKET, REGION
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder

_START_DEADLINE_S = 30.0


class VersityGateway:
    """The gateway; its objects lie in `<folder>/versitygw`, the bucket is a folder there."""

    name = "versitygw"

    def __init__(
        self,
        processes: ProcessFolder,
        *,
        program: Path,
        port: int,
        secret: str,
        certificate: Certificate | None = None,
    ) -> None:
        self._processes = processes
        self._program = program
        self._port = port
        self._secret = secret
        self._certificate = certificate
        self._data = processes.folder / self.name
        if certificate:
            self.name = f"{self.name}-tls"

    @property
    def address(self) -> ObjectStore:
        """How clients reach it."""
        scheme = "https" if self._certificate else "http"
        url = f"{scheme}://{LOOPBACK}:{self._port}"
        return ObjectStore(url, BUCKET, ACCESS_KEY_ID, self._secret, REGION)

    def start(self) -> None:
        """Start the process, wait until it answers."""
        (self._data / BUCKET).mkdir(parents=True, exist_ok=True)
        options = ["--port", f"{LOOPBACK}:{self._port}", "--region", REGION, "--health", "/health"]
        if self._certificate:
            options += ["--cert", str(self._certificate.chain)]
            options += ["--key", str(self._certificate.key)]
        keys = {"ROOT_ACCESS_KEY": ACCESS_KEY_ID, "ROOT_SECRET_KEY": self._secret}
        arguments = (str(self._program), *options, "posix", str(self._data))
        wait_until_ready(
            self.name,
            self._processes.start(Command(self.name, arguments, keys)),
            self._processes,
            is_ready=self._answers,
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; the objects stay."""
        self._processes.stop(self.name, at_once=at_once)

    def _answers(self) -> bool:
        authority = self._certificate.authority if self._certificate else None
        return http_answers(f"{self.address.endpoint_url}/health", authority)
