"""The account's log-in: a JWT that lives five minutes, asked for by the payment list.

PyJWT is loaded when it is first needed, to keep the start short.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from nowpayments_simulator.errors import ApiError, AuthenticationRequired
from nowpayments_simulator.requests import AuthRequest

TOKEN_LIFE = timedelta(minutes=5)


class Account:
    """One merchant; without an e-mail or password set, any will do."""

    def __init__(self, api_key: str, email: str | None, password: str | None) -> None:
        self._api_key = api_key
        self._signing_key = hashlib.sha256(f"bearer:{api_key}".encode()).digest()
        self._email = email
        self._password = password

    def has_key(self, given: str | None) -> bool:
        """Whether `given` is the account's API key."""
        return given is not None and _same(given, self._api_key)

    def log_in(self, request: AuthRequest, now: datetime) -> str:
        """A bearer token. The e-mail is case-sensitive.

        Raises:
            ApiError: 403, not this account's e-mail and password.
        """
        if not (_fits(request.email, self._email) and _fits(request.password, self._password)):
            raise ApiError(403, "ACCESS_DENIED", "Access denied")
        import jwt

        claims = {"id": "1", "iat": now, "exp": now + TOKEN_LIFE}
        return jwt.encode(claims, self._signing_key, algorithm="HS256")

    def check_token(self, header: str | None, now: datetime) -> None:
        """Let a request with a good `Authorization` header pass.

        Raises:
            AuthenticationRequired: the header or its token is missing, wrong or too old.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise AuthenticationRequired(
                "Authorization header is empty (Bearer JWTtoken is required)"
            )
        if self._expiry(token) <= now:
            raise AuthenticationRequired("Token is expired")

    def _expiry(self, token: str) -> datetime:
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._signing_key,
                algorithms=["HS256"],
                options={"require": ["exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError:
            raise AuthenticationRequired("Token is invalid") from None
        return datetime.fromtimestamp(claims["exp"], UTC)


def _fits(given: str, wanted: str | None) -> bool:
    return wanted is None or _same(given, wanted)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
