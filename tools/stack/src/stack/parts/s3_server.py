"""The process behind `s3`: moto's WSGI application, a journal around it, one bucket.

Run as `python -m stack.parts.s3_server --port N --journal FILE --bucket NAME`.
"""

import argparse
import base64
import io
import json
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
from werkzeug.test import Client, EnvironBuilder

from stack.ports import LOOPBACK
from stack.processes import write_atomically

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
_CHANGING = {"PUT", "POST", "DELETE"}


class JournalledApplication:
    """Writes each request that changed something to a file, one JSON line each.

    Changes are made one at a time: what the journal says last is then what came last.
    """

    def __init__(self, application: Any, journal: Path) -> None:
        self._application = application
        self._journal = journal
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request, as WSGI has it."""
        if environ["REQUEST_METHOD"] not in _CHANGING:
            return self._answer(environ, start_response)
        body = _body_of(environ)
        entry = _entry(environ, body)
        with self._lock:
            return self._change(environ, start_response, entry)

    def replay(self) -> None:
        """Do again what the journal says.

        A last line that a crash cut off had no answer yet: it is taken out.
        """
        if not self._journal.exists():
            return
        whole, newline, _ = self._journal.read_text().rpartition("\n")
        client = Client(self._application)
        for line in whole.splitlines():
            _repeat(client, json.loads(line))
        write_atomically(self._journal, whole + newline)

    def _change(
        self, environ: Environ, start_response: StartResponse, entry: dict[str, Any]
    ) -> Iterable[bytes]:
        statuses: list[str] = []

        def keep_status(status: str, headers: Any, exc_info: Any = None) -> Any:
            statuses.append(status)
            return start_response(status, headers, exc_info)

        answer = list(self._answer(environ, keep_status))
        if statuses and statuses[-1].startswith("2"):
            with self._journal.open("a") as file:
                file.write(json.dumps(entry) + "\n")
        return answer

    def _answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def _body_of(environ: Environ) -> bytes:
    source = environ["wsgi.input"]
    if environ.get("HTTP_TRANSFER_ENCODING") == "chunked":
        body: bytes = source.read()
    else:
        body = source.read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _entry(environ: Environ, body: bytes) -> dict[str, Any]:
    headers = {
        name[5:].replace("_", "-").title(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    if environ.get("CONTENT_TYPE"):
        headers["Content-Type"] = environ["CONTENT_TYPE"]
    url = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    return {
        "method": environ["REQUEST_METHOD"],
        "url": url,
        "headers": headers,
        "body": base64.b64encode(body).decode(),
    }


def _repeat(client: Client, entry: dict[str, Any]) -> None:
    path, _, query = entry["url"].partition("?")
    builder = EnvironBuilder(
        method=entry["method"],
        path=path,
        query_string=query,
        headers=entry["headers"],
        data=base64.b64decode(entry["body"]),
    )
    client.open(builder).close()


def main() -> None:
    """Play the journal back, make sure of the bucket, serve until SIGTERM."""
    parser = argparse.ArgumentParser(description="moto's S3 server with a journal")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--bucket", required=True)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    application = JournalledApplication(
        DomainDispatcherApplication(create_backend_app), options.journal
    )
    application.replay()
    Client(application).put(f"/{options.bucket}").close()
    make_server(LOOPBACK, options.port, application, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
