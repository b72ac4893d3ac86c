"""moto's S3 server, with a journal, so that objects outlive its process.

moto keeps objects in memory. Every request that changed something is written to
`<folder>/s3/journal.jsonl` and played back at the next start: without that a restarted stack would
have deliveries whose objects are gone.
"""

import os
import sys

from stack.parts.part import wait_until_ready
from stack.parts.probes import http_answers
from stack.ports import LOOPBACK
from stack.processes import Command, ProcessFolder

BUCKET = "bitloot-keys"
ACCESS_KEY_ID = "bitloot"
REGION = "auto"
_START_DEADLINE_S = 60.0


class S3:
    """The server with its journal in `<folder>/s3`; the bucket exists when it has started."""

    name = "s3"

    def __init__(self, processes: ProcessFolder, *, port: int) -> None:
        self._journal = processes.folder / "s3" / "journal.jsonl"
        self._processes = processes
        self._port = port

    @property
    def endpoint_url(self) -> str:
        """The address S3 clients are given."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start the process, wait until the bucket answers."""
        self._journal.parent.mkdir(parents=True, exist_ok=True)
        module = (sys.executable, "-m", "stack.parts.s3_server")
        options = ("--port", str(self._port), "--journal", str(self._journal), "--bucket", BUCKET)
        command = Command(self.name, (*module, *options), dict(os.environ))
        wait_until_ready(
            self.name,
            self._processes.start(command),
            self._processes,
            is_ready=lambda: http_answers(f"{self.endpoint_url}/{BUCKET}"),
            deadline_s=_START_DEADLINE_S,
        )

    def stop(self, *, at_once: bool = False) -> None:
        """End it; the journal stays."""
        self._processes.stop(self.name, at_once=at_once)
