"""Settings, messages and a supplier for tests of fulfillment-kinguin.

`FakeSupplier` has a ledger of its own, like the real one: what it holds was bought,
whatever the buyer was told. Its faults have the names of the simulator's.
"""

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from contracts import FulfillmentRequestedKinguin, FulfillmentState, FulfillmentUpdated, Money
from foundation.clock import new_id
from foundation.sealing import KeyRing, PublicKey, new_key_pair, new_ring, seal_address
from foundation.settings import SecretRing
from foundation.testing import FixedClock
from pydantic import SecretBytes, SecretStr
from servicekit.testing import ServiceHarness
from webkit.tokens import TokenSigner

from fulfillment_kinguin.adapters.tables import purchases
from fulfillment_kinguin.domain.read_key import read_key
from fulfillment_kinguin.domain.supply import (
    Offer,
    OrderStatus,
    OrderToPlace,
    Product,
    ProductPage,
    SupplierKey,
    SupplierOrder,
)
from fulfillment_kinguin.errors import (
    DuplicateExternalId,
    InsufficientBalance,
    NotFound,
    ProductUnavailable,
    Refused,
    ReturnRefused,
    SupplierError,
    Unclear,
)
from fulfillment_kinguin.settings import KinguinSettings

_PAIR = new_key_pair()

DELIVERY_RING = KeyRing.parse(_PAIR.private)
"""Opens what is sealed for delivery in tests."""

SIGNER = TokenSigner(SecretRing.parse(new_ring()))
"""Signs the tokens that a service built with `jwks=SIGNER.static_jwks()` accepts."""

WEBHOOK_SECRET = "test-webhook-secret"
API_KEY = "a-key-for-tests-of-kinguin"
PRODUCT_ID = "5c9b5c9b5c9b5c9b5c9b0001"
OFFER_ID = "5f7e5f7e5f7e5f7e5f7e0001"
PICTURE = b"\x89PNG\r\n\x1a\n" + b"pixels"
_FIRST_ORDER_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def some_settings(database_url: str, **changes: Any) -> KinguinSettings:
    """Settings that work, on the given database."""
    values: dict[str, Any] = {
        "environment": "development",
        "database_url": SecretStr(database_url),
        "kafka_bootstrap_servers": "127.0.0.1:9",
        "hpke_public_key": PublicKey.parse(_PAIR.public),
        "fingerprint_pepper": SecretBytes(b"a pepper of thirty-two bytes, ok"),
        "kinguin_enabled": True,
        "kinguin_api_url": "http://127.0.0.1:9/esa/api",
        "kinguin_api_key": SecretStr(API_KEY),
        "kinguin_webhook_secret": SecretStr(WEBHOOK_SECRET),
        "kinguin_requests_per_second": 1000,
        "kinguin_eur_usd_rate": Decimal("1.10"),
    }
    return KinguinSettings(**(values | changes))


def a_request(quantity: int = 1, **fields: Any) -> FulfillmentRequestedKinguin:
    """A paid line that may cost 25 dollars a key."""
    order_id = new_id()
    values: dict[str, Any] = {
        "id": new_id(),
        "occurred_at": _FIRST_ORDER_AT,
        "order_id": order_id,
        "line_id": new_id(),
        "product_id": new_id(),
        "title": "Ember Hollow",
        "quantity": quantity,
        "kinguin_product_id": PRODUCT_ID,
        "kinguin_offer_id": OFFER_ID,
        "highest_unit_price": Money(amount=Decimal(25), currency="USD"),
        "lines_in_order": 1,
        "buyer": seal_address(DELIVERY_RING.public_key, "buyer@example.com", order_id),
    }
    return FulfillmentRequestedKinguin.model_validate(values | fields)


def ecb_file(usd: str, day: str) -> bytes:
    """The bank's daily file, with the dollar among other currencies."""
    namespaces = (
        'xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"'
    )
    rates = f"<Cube currency='USD' rate='{usd}'/><Cube currency='JPY' rate='180.31'/>"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope {namespaces}>'
        "<gesmes:subject>Reference rates</gesmes:subject>"
        f"<Cube><Cube time='{day}'>{rates}</Cube></Cube></gesmes:Envelope>"
    ).encode()


async def work(kinguin: ServiceHarness, clock: FixedClock, seconds: float = 2) -> None:
    """Run what is due, let time pass, and run what is due then."""
    await kinguin.run_jobs()
    clock.advance(seconds)
    await kinguin.run_jobs()


async def answers(kinguin: ServiceHarness) -> list[FulfillmentState]:
    """What orders was told so far."""
    return [message.state for message in await kinguin.sent(FulfillmentUpdated)]


async def purchase_states(kinguin: ServiceHarness) -> list[str]:
    """The states of all purchases, the first planned first."""
    async with kinguin.database.transaction() as transaction:
        query = sa.select(purchases.c.state).order_by(purchases.c.id)
        return list(await transaction.scalars(query))


@dataclass(slots=True)
class FakeOrder:
    """One order of the fake's ledger."""

    order_id: str
    external_id: str
    quantity: int
    price_charged: Decimal
    created_at: datetime
    keys: list[SupplierKey] = field(default_factory=list)
    status: OrderStatus = OrderStatus.PROCESSING
    polls: int = 0
    returns: int = 0
    keys_returned: int = 0


@dataclass(slots=True)
class FakeFaults:
    """What goes wrong on demand; see the simulator's README for the shared names."""

    polls_until_ready: int = 0
    stuck: bool = False
    cancel: bool = False
    refund: bool = False
    fewer_keys: int = 0
    one_by_one: bool = False
    repeat_keys: int = 0
    image_keys: bool = False
    broken_keys: bool = False
    key_padding: int = 0
    drop_answer_after_work: int = 0
    refuse_return: bool = False
    drop_return_answer: int = 0
    lose_return: int = 0
    slow_return: bool = False
    silent_return: bool = False
    refuse_duplicates: bool = True
    hidden_from_search: int = 0
    balance: Decimal = Decimal(1000)
    price_factor: Decimal = Decimal(1)
    stock: int = 100
    off_sale: bool = False


class FakeSupplier:
    """A `KeySupplier` in memory; `errors` names calls that fail, before any work."""

    def __init__(self, *, can_search: bool = True) -> None:
        self.can_search = can_search
        self.knows_prices = True
        self.can_return = True
        self.max_quantity = 9
        self.ledger: list[FakeOrder] = []
        self.faults = FakeFaults()
        self.errors: dict[str, SupplierError] = {}
        self.calls: Counter[str] = Counter()
        self.asked_for: list[list[str]] = []

    def set_faults(self, **faults: Any) -> None:
        """Replace the faults; one that is not named is off."""
        self.faults = FakeFaults(**faults)

    async def wait_for_turn(self) -> None:
        """See `KeySupplier.wait_for_turn`."""
        self._called("wait_for_turn")

    async def place(self, order: OrderToPlace) -> SupplierOrder:
        """See `KeySupplier.place`."""
        self._called("place")
        self._check(order)
        placed = FakeOrder(
            order_id=f"PHZZ{len(self.ledger) + 1:07}",
            external_id=order.external_id,
            quantity=order.quantity,
            price_charged=self._price * order.quantity,
            created_at=_FIRST_ORDER_AT + timedelta(seconds=len(self.ledger)),
        )
        self.ledger.append(placed)
        self.faults.balance -= placed.price_charged
        if self.faults.drop_answer_after_work > 0:
            self.faults.drop_answer_after_work -= 1
            raise Unclear("no answer: the fake dropped it")
        return _answer(placed)

    async def orders_of(self, external_id: str) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_of`."""
        self._called("orders_of")
        if self.faults.hidden_from_search > 0:
            self.faults.hidden_from_search -= 1
            return []
        found = [order for order in self.ledger if order.external_id == external_id]
        return [_answer(order) for order in reversed(found)]

    async def orders_since(self, since: datetime) -> Sequence[SupplierOrder]:
        """See `KeySupplier.orders_since`."""
        self._called("orders_since")
        return [_answer(order) for order in self.ledger if order.created_at >= since]

    async def order(self, order_id: str) -> SupplierOrder:
        """See `KeySupplier.order`."""
        self._called("order")
        return _answer(self._advance(order_id))

    async def keys(self, order_id: str) -> Sequence[SupplierKey]:
        """See `KeySupplier.keys`."""
        self._called("keys")
        order = self._advance(order_id)
        if self.faults.broken_keys:
            read_key("image/png", "not base64!")
        return [] if order.status is OrderStatus.REFUNDED else list(order.keys)

    async def return_keys(self, order_id: str) -> None:
        """See `KeySupplier.return_keys`; taken once, and refunded with the next look."""
        self._called("return_keys")
        order = next(o for o in self.ledger if o.order_id == order_id)
        if self.faults.lose_return > 0:
            self.faults.lose_return -= 1
            raise Unclear("no answer: the request never arrived")
        if self.faults.refuse_return or order.returns:
            raise ReturnRefused("NoKeysToReturn")
        order.returns += 1
        if self.faults.drop_return_answer > 0:
            self.faults.drop_return_answer -= 1
            raise Unclear("no answer: the fake dropped it")

    async def product(self, product_id: str) -> Product:
        """See `KeySupplier.product`."""
        self._called("product")
        if product_id != PRODUCT_ID:
            raise NotFound("HTTP 404")
        return self._product()

    async def products(self, name: str, *, page: int, limit: int) -> ProductPage:
        """See `KeySupplier.products`."""
        self._called("products")
        shown = [self._product()] if name.lower() in "ember hollow" else []
        return ProductPage(shown[(page - 1) * limit : page * limit], len(shown))

    async def products_by_ids(self, product_ids: Sequence[str]) -> Sequence[Product]:
        """See `KeySupplier.products_by_ids`."""
        self._called("products_by_ids")
        self.asked_for.append(list(product_ids))
        if unreadable := [product_id for product_id in product_ids if " " in product_id]:
            raise Refused(f"{unreadable} are no ids")
        is_found = PRODUCT_ID in product_ids and not self.faults.off_sale
        return [self._product()] if is_found else []

    async def balance(self) -> Decimal:
        """See `KeySupplier.balance`."""
        self._called("balance")
        return self.faults.balance

    @property
    def _price(self) -> Decimal:
        return Decimal("4.31") * self.faults.price_factor

    def _called(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.errors:
            raise self.errors[name]

    def _check(self, order: OrderToPlace) -> None:
        if order.product_id != PRODUCT_ID or (order.choice.unit_price or 0) < self._price:
            raise ProductUnavailable("no offer fits")
        used = any(known.external_id == order.external_id for known in self.ledger)
        if used and self.faults.refuse_duplicates:
            raise DuplicateExternalId("orderExternalId already used")
        if self._price * order.quantity > self.faults.balance:
            raise InsufficientBalance("not enough funds")

    def _advance(self, order_id: str) -> FakeOrder:
        order = next((o for o in self.ledger if o.order_id == order_id), None)
        if order is None:
            raise NotFound("OrderNotFound")
        if order.returns and not self.faults.slow_return:
            order.keys_returned = len(order.keys)
            if not self.faults.silent_return:
                order.status = OrderStatus.REFUNDED
        if order.status is OrderStatus.PROCESSING and not self.faults.stuck:
            order.polls += 1
            if self.faults.one_by_one and len(order.keys) + 1 < order.quantity:
                self._fill(order, len(order.keys) + 1)
            elif order.polls >= self.faults.polls_until_ready:
                self._close(order)
        return order

    def _close(self, order: FakeOrder) -> None:
        is_empty = self.faults.refund or (self.faults.cancel and not self.faults.fewer_keys)
        count = 0 if is_empty else order.quantity - self.faults.fewer_keys
        self._fill(order, count)
        order.status = OrderStatus.CANCELED if self.faults.cancel else OrderStatus.COMPLETED
        if self.faults.refund:
            order.status = OrderStatus.REFUNDED

    def _fill(self, order: FakeOrder, count: int) -> None:
        """Deliver up to so many keys; what was delivered stays."""
        while len(order.keys) < count:
            order.keys.append(self._new_key(order, len(order.keys)))

    def _new_key(self, order: FakeOrder, number: int) -> SupplierKey:
        name = f"{order.order_id}-{number}"
        sold = [key for known in self.ledger for key in known.keys]
        if self.faults.repeat_keys > 0 and sold:
            self.faults.repeat_keys -= 1
            return SupplierKey(name, sold[0].key)
        if self.faults.image_keys:
            picture = PICTURE + name.encode() + b"." * self.faults.key_padding
            return SupplierKey(name, read_key("image/png", base64.b64encode(picture).decode()))
        return SupplierKey(name, read_key("text/plain", f"KEY-{name}"))

    def _product(self) -> Product:
        return Product(
            product_id=PRODUCT_ID,
            kinguin_id=1001,
            name="Ember Hollow",
            platform="Steam",
            price=self._price,
            quantity=self.faults.stock,
            text_quantity=self.faults.stock,
            is_preorder=False,
            offers=(Offer(OFFER_ID, self._price, self.faults.stock, self.faults.stock),),
            updated_at=_FIRST_ORDER_AT,
        )


def _answer(order: FakeOrder) -> SupplierOrder:
    return SupplierOrder(
        order.order_id,
        order.external_id,
        order.status,
        order.created_at,
        order.price_charged,
        order.keys_returned,
    )
