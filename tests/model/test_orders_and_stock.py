"""Random lives of orders with own stock, their messages carried in any order, some again.

Orders and fulfillment-custom are real, on real databases; payments and delivery are a few
rules of the model. A failing run prints its steps and a blob for `@reproduce_failure`;
`--hypothesis-seed=N` repeats a whole run.
"""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar
from uuid import UUID

import fulfillment_custom.testing as stock_testing
import orders.testing as orders_testing
import pytest
import sqlalchemy as sa
from contracts import (
    EmailRequested,
    FulfillmentRequestedCustom,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    Message,
    OrderCancelled,
    OrderPlaced,
    PaymentState,
    StockUpdated,
)
from contracts.testing import a_payment_confirmed, a_payment_updated
from delivery.testing import ModelDelivery
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_custom.adapters.tables import assignments, stock_keys
from fulfillment_custom.bootstrap import build_service as build_stock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from orders.adapters.tables import order_items, refunds
from orders.adapters.tables import orders as orders_table
from orders.bootstrap import build_service as build_orders
from servicekit.testing import ServiceHarness, emptied
from webkit.testing import admin_token
from webkit.tokens import TokenSigner

pytestmark = [pytest.mark.component, pytest.mark.timeout(600)]

T = TypeVar("T")

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))
"""Lives a run; more find more."""

_FROM_ORDERS = (OrderPlaced, OrderCancelled, FulfillmentRequestedCustom)
_FROM_STOCK = (StockUpdated, FulfillmentUpdated, KeyReady)
_NO_MONEY_OWED = {"delayed", "stored", "delivered"}

some = st.integers(0, 1_000_000)


class Shop(RuleBasedStateMachine):
    """Customers, the gateway, an admin, and a postman who keeps no order."""

    urls: tuple[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = FixedClock()
        self.delivery = ModelDelivery()
        self.bag: list[Message] = []
        self.mailed: list[tuple[str, str]] = []
        self.carried: list[Message] = []
        self.read_up_to = {"orders": 0, "stock": 0}
        self.uploaded: Counter[UUID] = Counter()
        self.placed: list[UUID] = []
        self.said: defaultdict[UUID, set[FulfillmentState]] = defaultdict(set)
        self.owner: dict[str, UUID] = {}
        self.do(self._open())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end on the machine's own loop."""
        return self.runner.run(work)

    async def _open(self) -> None:
        orders_settings = orders_testing.some_settings(self.urls[0])
        stock_settings = stock_testing.some_settings(self.urls[1])
        self.signer = TokenSigner(orders_settings.token_signing_keys)
        jwks = stock_testing.SIGNER.static_jwks()
        orders = build_orders(orders_settings, self.clock)
        stock = build_stock(stock_settings, self.clock, jwks)
        self.orders = await self.stack.enter_async_context(ServiceHarness.start(orders))
        self.stock = await self.stack.enter_async_context(ServiceHarness.start(stock))
        for service in (self.orders, self.stock):
            await emptied(service.database, keep=("rollout",))

    def _admin(self, signer: TokenSigner) -> dict[str, str]:
        return {"Authorization": f"Bearer {admin_token(signer, now=self.clock.now())}"}

    def teardown(self) -> None:
        """Bring what is on its way, look once more, and close."""
        try:
            if hasattr(self, "products"):
                self.do(self._settle())
        finally:
            self.do(self.stack.aclose())
            self.runner.close()

    @initialize(backwards=st.booleans())
    def open_the_shop(self, *, backwards: bool) -> None:
        """One product that may wait for an upload, and one that may not."""
        self.next = -1 if backwards else 0  # which message on its way arrives first in the end
        firm, soft = (orders_testing.a_product(backorder=value) for value in (False, True))
        self.products = [firm.id, soft.id]
        self.do(orders_testing.keep(self.orders, firm, soft))

    @rule(which=st.integers(0, 1), number=st.integers(1, 3))
    def upload(self, which: int, number: int) -> None:
        """Keys come onto the shelf."""
        product = self.products[which]
        self.do(self._upload(product, number))
        self.uploaded[product] += number

    async def _upload(self, product: UUID, number: int) -> None:
        body = {"keys": [f"KEY-{new_id()}" for _ in range(number)]}
        path = f"/admin/products/{product}/keys"
        answer = await self.stock.http.post(
            path, json=body, headers=self._admin(stock_testing.SIGNER)
        )
        assert answer.json()["added"] == number
        await self._collect()

    @rule(lines=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3)), min_size=1, max_size=3))
    def place(self, lines: list[tuple[int, int]]) -> None:
        """A customer orders; refused at the door, nothing happened."""
        self.do(self._place(lines))

    async def _place(self, lines: list[tuple[int, int]]) -> None:
        items = [{"product_id": str(self.products[w]), "quantity": n} for w, n in lines]
        body = {"email": "buyer@example.com", "accept_terms": True, "items": items}
        answer = await self.orders.http.post("/orders", json=body)
        assert answer.status_code in {201, 409}, answer.text
        if answer.status_code == 201:
            self.placed.append(UUID(answer.json()["id"]))
        await self._collect()

    @rule(which=st.integers(0, 1), number=st.integers(1, 3), shows=st.booleans())
    def sell(self, which: int, number: int, *, shows: bool) -> None:
        """A purchase without a hitch: chance alone seldom comes as far as a delivered key."""
        self.upload(which, number)
        before = len(self.placed)
        self.place([(which, number)])
        if len(self.placed) > before:
            self.do(self._carry_all())
            self.bag.append(a_payment_confirmed(order_id=self.placed[-1]))
            self.do(self._carry_all())
        if shows:
            self.bag += [
                news for line in self.delivery.deliveries for news in self.delivery.reveal(line)
            ]

    async def _carry_all(self) -> None:
        while self.bag:
            await self._bring(self.bag.pop(0))

    @precondition(lambda self: self.placed)
    @rule(
        pick=some,
        state=st.sampled_from(
            [PaymentState.INVOICE_READY, PaymentState.CONFIRMING, PaymentState.EXPIRED, None]
        ),
    )
    def pay(self, pick: int, state: PaymentState | None) -> None:
        """The gateway says something; None is the money, confirmed."""
        order_id = self.placed[pick % len(self.placed)]
        if state is None:
            self.bag.append(a_payment_confirmed(order_id=order_id))
        else:
            self.bag.append(a_payment_updated(order_id=order_id, state=state))

    @precondition(lambda self: self.placed)
    @rule(pick=some, action=st.sampled_from(["cancel", "retry", "mark_refunded"]))
    def act(self, pick: int, action: str) -> None:
        """An admin does something, or is told why not."""
        self.do(self._act(self.placed[pick % len(self.placed)], action))

    async def _act(self, order_id: UUID, action: str) -> None:
        body = {"action": action, "reason": "the model", "tx_hash": "a1b2c3d4e5"}
        path = f"/admin/orders/{order_id}/actions"
        answer = await self.orders.http.post(path, json=body, headers=self._admin(self.signer))
        assert answer.status_code in {200, 409}, answer.text
        await self._collect()

    @precondition(lambda self: self.delivery.deliveries)
    @rule(pick=some)
    def reveal(self, pick: int) -> None:
        """A buyer opens the link."""
        lines = sorted(self.delivery.deliveries)
        self.bag += self.delivery.reveal(lines[pick % len(lines)])

    @rule(minutes=st.sampled_from([1, 20, 24 * 60]))
    def wait(self, minutes: int) -> None:
        """Time passes, and what is due is done."""
        self.clock.advance(minutes=minutes)
        self.do(self._run_jobs())

    async def _run_jobs(self) -> None:
        await self.orders.run_jobs()
        await self.stock.run_jobs()
        await self._collect()

    @precondition(lambda self: self.bag)
    @rule(picks=st.lists(some, min_size=1, max_size=4))
    def carry(self, picks: list[int]) -> None:
        """Some of the messages arrive."""
        for pick in picks:
            if self.bag:
                self.do(self._bring(self.bag.pop(pick % len(self.bag))))

    @precondition(lambda self: self.carried)
    @rule(pick=some)
    def carry_again(self, pick: int) -> None:
        """A message that arrived before arrives once more."""
        self.do(self._bring(self.carried[pick % len(self.carried)]))

    async def _bring(self, message: Message) -> None:
        self.carried.append(message)
        if isinstance(message, OrderCancelled):
            self.bag += self.delivery.cancel(message)
        if isinstance(message, KeyReady):
            self.bag += self.delivery.take_keys(message)
        elif isinstance(message, _FROM_ORDERS):
            await self.stock.deliver(message)
        else:
            await self.orders.deliver(message)
        await self._collect()

    async def _collect(self) -> None:
        """Take what both services sent since the last time."""
        sent = await self._sent(self.orders, "orders", (*_FROM_ORDERS, EmailRequested))
        self.mailed += [(m.kind, m.subject_key) for m in sent if isinstance(m, EmailRequested)]
        assert len(set(self.mailed)) == len(self.mailed), "told twice"
        self.bag += [message for message in sent if not isinstance(message, EmailRequested)]
        for message in await self._sent(self.stock, "stock", _FROM_STOCK):
            self.bag.append(message)
            if isinstance(message, FulfillmentUpdated) and message.line_id:
                self.said[message.line_id].add(message.state)
            if isinstance(message, KeyReady):
                for key in message.keys:
                    given_to = self.owner.setdefault(key.fingerprint, message.line_id)
                    assert given_to == message.line_id, "a key went to two lines"

    async def _sent(
        self, service: ServiceHarness, name: str, kinds: tuple[type[Message], ...]
    ) -> list[Message]:
        since = self.read_up_to[name]
        self.read_up_to[name], messages = await service.sent_since(since, *kinds)
        return messages

    @invariant()
    def stock_adds_up(self) -> None:
        """Uploaded is what is there; a key is given away exactly if it is assigned."""
        self.do(self._check_stock())

    async def _check_stock(self) -> None:
        async with self.stock.database.transaction() as transaction:
            keys = (await transaction.execute(sa.select(stock_keys))).all()
            given = set(await transaction.scalars(sa.select(assignments.c.key_id)))
        assert Counter(key.product_id for key in keys) == self.uploaded
        assert {key.id for key in keys if key.state == "assigned"} == given

    @invariant()
    def nobody_gets_both(self) -> None:
        """What was shown is not owed back, and money is owed only after an answer."""
        self.do(self._check_lines())

    async def _check_lines(self) -> None:
        for line in await self._lines():
            if line.status not in {"refund_due", "refunded"}:
                continue
            assert line.id not in self.delivery.revealed, "the key and the money"
            answered = {FulfillmentState.FAILED, FulfillmentState.RELEASED} & self.said[line.id]
            is_void = line.id in self.delivery.void
            assert answered or is_void or line.cancelled, "owed back before anybody answered"

    @invariant()
    def what_is_owed_has_one_refund(self) -> None:
        """Each line that is owed back, and no other, has a refund that says the same."""
        self.do(self._check_refunds())

    async def _check_refunds(self) -> None:
        async with self.orders.database.transaction() as transaction:
            found = await transaction.execute(sa.select(refunds.c.item_id, refunds.c.state))
            states = [(row.item_id, row.state) for row in found]
        expected = {"refund_due": "due", "refunded": "sent"}
        owed = [(x.id, expected[x.status]) for x in await self._lines() if x.status in expected]
        assert sorted(states) == sorted(owed)

    async def _lines(self) -> list[Any]:
        query = sa.select(
            order_items.c.id, order_items.c.status, orders_table.c.money, orders_table.c.cancelled
        ).join(orders_table)
        async with self.orders.database.transaction() as transaction:
            return list((await transaction.execute(query)).all())

    async def _settle(self) -> None:
        """When every message has arrived, nothing is held in vain and every payer has an end."""
        while self.bag:
            await self._bring(self.bag.pop(self.next))
        await self._check_stock()
        await self._check_lines()
        async with self.stock.database.transaction() as transaction:
            query = sa.select(stock_keys.c.reserved_for).where(stock_keys.c.state == "reserved")
            held = set(await transaction.scalars(query))
        for line in await self._lines():
            is_over = line.cancelled or line.money in {"expired", "paid"}
            assert not (is_over and line.id in held), f"held for nothing: {line}"
            if line.money == "paid":
                assert line.status in {"refund_due", "refunded", *_NO_MONEY_OWED}, (
                    f"left alone: {line}"
                )


def test_random_lives_keep_the_promise(urls: tuple[str, str]) -> None:
    machine = type("ShopOnTheseDatabases", (Shop,), {"urls": urls})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=15,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
