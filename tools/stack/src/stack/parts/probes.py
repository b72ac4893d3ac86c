"""Small questions: does something answer there?"""

from http import HTTPStatus

import httpx

_TIMEOUT_S = 2.0


def http_answers(url: str) -> bool:
    """Whether a GET of `url` is answered 200."""
    try:
        # trust_env off: a proxy of the caller's has no business on loopback.
        answer = httpx.get(url, timeout=_TIMEOUT_S, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == HTTPStatus.OK
