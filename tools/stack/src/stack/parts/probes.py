"""Small questions: does something answer there?"""

import socket
import ssl
from http import HTTPStatus
from pathlib import Path

import httpx

from stack.ports import LOOPBACK

_TIMEOUT_S = 2.0


def http_answers(url: str, trusting: Path | None = None) -> bool:
    """Whether a GET of `url` is answered 200; `trusting` is the authority of its certificate."""
    verify = ssl.create_default_context(cafile=trusting) if trusting else True
    try:
        # trust_env off: a proxy of the caller's has no business on loopback.
        answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False, verify=verify)
    except httpx.TransportError:
        return False
    return answer.status_code == HTTPStatus.OK


def accepts_connections(port: int) -> bool:
    """Whether something on loopback takes a TCP connection at that port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_TIMEOUT_S):
            return True
    except OSError:
        return False
