"""Builders and fakes for tests of delivery."""

import hashlib
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from contracts import (
    DeliveryState,
    DeliveryUpdated,
    EmailRequested,
    KeyReady,
    OrderCancelled,
    SealedKey,
    SourceType,
)
from contracts.testing import a_delivery_updated
from foundation.clock import new_id
from foundation.sealing import (
    GameKey,
    KeyRing,
    fingerprint,
    new_key_pair,
    new_ring,
    seal,
    seal_address,
    seal_game_key,
)
from foundation.settings import SecretRing
from foundation.testing import FixedClock
from pydantic import SecretBytes, SecretStr
from webkit.tokens import TokenSigner

from delivery.errors import KeyStoreConflict, KeyStoreUnavailable
from delivery.settings import DeliverySettings

RING = KeyRing.parse(new_key_pair().private)
"""The private keys of delivery in tests."""

SIGNER = TokenSigner(SecretRing.parse(new_ring()))
"""Signs the tokens that a service built with `jwks=SIGNER.static_jwks()` accepts."""

BUYER = "buyer@example.com"
_PEPPER = SecretBytes(b"a pepper of thirty-two bytes, ok")


class InMemoryKeyStore:
    """Keeps objects in a dict; `failures` are raised before anything is written."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts: list[bytes] = []
        self.failures: list[Exception] = []
        self.drop_answers = 0

    async def put(self, object_key: str, body: bytes, checksum: str) -> None:
        """Write once; the same again is success."""
        self._fail()
        self.puts.append(body)
        there = self.objects.setdefault(object_key, body)
        if self.drop_answers:
            self.drop_answers -= 1
            raise KeyStoreUnavailable("the answer was lost")
        if hashlib.sha256(there).hexdigest() != checksum:
            raise KeyStoreConflict(object_key)

    async def get(self, object_key: str) -> bytes:
        """Read."""
        self._fail()
        if object_key not in self.objects:
            raise KeyStoreUnavailable("NoSuchKey")
        return self.objects[object_key]

    async def check(self) -> None:
        """Is there, unless told otherwise."""
        self._fail()

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


class RecordingSender:
    """Remembers the bytes of each mail it accepted; `failures` come first."""

    def __init__(self) -> None:
        self.tried: list[bytes] = []
        self.accepted: list[EmailMessage] = []
        self.failures: list[Exception] = []

    async def send(self, mail: EmailMessage) -> None:
        """Accept, or fail as told."""
        self.tried.append(mail.as_bytes())
        if self.failures:
            raise self.failures.pop(0)
        self.accepted.append(mail)


def a_sealed_key(key: GameKey, source: SourceType = SourceType.CUSTOM) -> SealedKey:
    """A key as a fulfilment service would seal it for delivery in tests."""
    key_id = new_id()
    return SealedKey(
        key_id=key_id,
        fingerprint=fingerprint(_PEPPER, key),
        media_type=key.media_type,
        sealed=seal_game_key(RING.public_key, key, source=source.value, key_id=key_id),
    )


def some_keys(*texts: str, **changes: Any) -> KeyReady:
    """A `key.ready` that delivery can open; fields as given, the rest made up."""
    order_id = changes.pop("order_id", None) or new_id()
    values: dict[str, Any] = {
        "id": new_id(),
        "occurred_at": FixedClock().now(),
        "order_id": order_id,
        "line_id": new_id(),
        "product_id": new_id(),
        "title": "Moon Farmer",
        "source_type": SourceType.CUSTOM,
        "keys": [a_sealed_key(GameKey.from_text(text)) for text in texts or ("AAAA-1",)],
        "lines_in_order": 1,
        "buyer": seal_address(RING.public_key, BUYER, order_id),
    }
    return KeyReady(**(values | changes))


def a_mail_request(
    subject_key: str, body: bytes = b'{"subject": "Your code", "text": "123", "html": "123"}'
) -> EmailRequested:
    """An `email.requested` with a sign-in code for the buyer."""
    key = RING.public_key
    return EmailRequested(
        id=new_id(),
        occurred_at=FixedClock().now(),
        kind="sign_in_code",
        subject_key=subject_key,
        to=seal(key, BUYER.encode(), "test"),
        body=seal(key, body, "test"),
    )


def some_settings(database_url: str, **changes: Any) -> DeliverySettings:
    """Settings that work, on the given database."""
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "hpke_private_keys": RING,
        "keks": SecretRing.parse(new_ring()),
        "link_secret": SecretBytes(b"a secret of thirty-two bytes, ok"),
        "storefront_url": "http://127.0.0.1:8000",
        "s3_endpoint_url": "http://127.0.0.1:9",
        "s3_bucket": "keys",
        "s3_access_key_id": "test",
        "s3_secret_access_key": SecretStr("test"),
        "smtp_host": "127.0.0.1",
        "smtp_port": 9,
        "smtp_security": "none",
        "mail_from": "BitLoot <keys@bitloot.example>",
    }
    return DeliverySettings(**(values | changes))


class ModelDelivery:
    """What delivery promises: a key is shown, or its line is void, never both."""

    def __init__(self) -> None:
        self.deliveries: dict[UUID, KeyReady] = {}
        self.buried: set[UUID] = set()
        self.void: set[UUID] = set()
        self.revealed: set[UUID] = set()
        self.version = 0

    def take_keys(self, message: KeyReady) -> list[DeliveryUpdated]:
        """Store them, unless the line was cancelled before."""
        line = message.line_id
        known = self.deliveries.setdefault(line, message)
        if [k.fingerprint for k in known.keys] != [k.fingerprint for k in message.keys]:
            raise AssertionError(f"line {line} got other keys the second time")
        if line in self.buried or line in self.void:
            self.void.add(line)
            return [self._news(line, DeliveryState.VOIDED, revealed=False)]
        return [self._news(line, DeliveryState.STORED), self._news(line, DeliveryState.MAILED)]

    def cancel(self, message: OrderCancelled) -> list[DeliveryUpdated]:
        """Answer for every line whose keys are here."""
        return [
            news for line in message.line_ids if message.final for news in self._cancel_line(line)
        ]

    def _cancel_line(self, line: UUID) -> list[DeliveryUpdated]:
        if line not in self.deliveries:
            self.buried.add(line)
            return []
        if line in self.revealed:
            return [self._news(line, DeliveryState.REVEALED, revealed=True)]
        self.void.add(line)
        return [self._news(line, DeliveryState.VOIDED, revealed=False)]

    def reveal(self, line: UUID) -> list[DeliveryUpdated]:
        """Show the keys, if the link still lives."""
        if line in self.void:
            return []
        self.revealed.add(line)
        return [self._news(line, DeliveryState.REVEALED, revealed=True)]

    def _news(
        self, line: UUID, state: DeliveryState, *, revealed: bool | None = None
    ) -> DeliveryUpdated:
        self.version += 1
        return a_delivery_updated(
            order_id=self.deliveries[line].order_id,
            line_id=line,
            delivery_id=line,
            state=state,
            version=self.version,
            revealed=revealed,
        )
