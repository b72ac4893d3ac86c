"""Who is told: a webhook and a mailbox that keep everything, and what they say about repeats.

A call is a repetition when it says nothing new: every alert in it was told in the same state by
an earlier call of the same group, less than the repeat interval of its receiver ago.
"""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

from stack.mailboxes import Mail
from stack.ports import LOOPBACK

from chaos.alerts.watch import key

Call = Mapping[str, Any]
_SOURCES: Final = ("custom", "kinguin")


@dataclass
class Inbox:
    """Calls of Alertmanager, in the order in which they came; `base_url` takes them.

    `intervals_s` is how soon each receiver may be told the same again.
    """

    intervals_s: Mapping[str, float]
    base_url: str = ""
    calls: list[Call] = field(default_factory=list)
    life_signs: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    @contextmanager
    def open(cls, intervals_s: Mapping[str, float]) -> Iterator[Self]:
        """Listen on a free port of the loopback: `/alerts` and `/watchdog`."""
        inbox = cls(intervals_s)
        handler = type("Handler", (_Handler,), {"inbox": inbox})
        with ThreadingHTTPServer((LOOPBACK, 0), handler) as server:
            inbox.base_url = f"http://{LOOPBACK}:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            try:
                yield inbox
            finally:
                server.shutdown()
                thread.join()

    def take(self, path: str, call: Call, at_s: float | None = None) -> None:
        """Keep one call; `at_s` on the monotonic clock, now without."""
        with self._lock:
            if path == "/watchdog":
                self.life_signs += 1
            else:
                at_s = time.monotonic() if at_s is None else at_s
                self.calls.append({**call, "at_s": at_s})

    def told(self) -> Counter[str]:
        """How many calls were about each alert."""
        with self._lock:
            return Counter(name for call in self.calls for name in names(call))

    def repetitions(self) -> list[str]:
        """The calls that said nothing new, by their group."""
        with self._lock:
            return list(_repetitions(self.calls, self.intervals_s))


def names(call: Call) -> set[str]:
    """The alerts that a call is about."""
    return {key(alert["labels"]) for alert in call["alerts"]}


def mailed(mails: Sequence[Mail]) -> Counter[str]:
    """How many mails were about each alert, by the subject."""
    return Counter(_subject_key(mail.subject) for mail in mails)


def _subject_key(subject: str) -> str:
    alert, *rest = subject.partition(": ")[2].split()
    return f"{alert}/{rest[0]}" if rest and rest[0] in _SOURCES else alert


def _repetitions(calls: Sequence[Call], intervals_s: Mapping[str, float]) -> Iterator[str]:
    told_at: dict[tuple[str, ...], float] = {}
    for call in calls:
        says = [
            (call["groupKey"], alert["fingerprint"], alert["status"], alert["startsAt"])
            for alert in call["alerts"]
        ]
        too_soon = call["at_s"] - intervals_s[call["receiver"]]
        if all(told_at.get(it, too_soon) > too_soon for it in says):
            yield call["groupKey"]
        told_at |= dict.fromkeys(says, call["at_s"])


class _Handler(BaseHTTPRequestHandler):
    inbox: Inbox

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.inbox.take(self.path, json.loads(body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as inherited
        """Say nothing: calls are kept, not printed."""
