"""Random lives of purchases at a supplier that loses answers, sells short and takes keys back.

Fulfillment-kinguin is real, on a real database; the supplier is its fake with a ledger of its
own. Workers die and freeze with jobs in hand. A failing run prints its steps and a blob for
`@reproduce_failure`; `--hypothesis-seed=N` repeats a whole run.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import pytest
import sqlalchemy as sa
from bitloot_verify.testing import findings_in_kinguin
from contracts import (
    FulfillmentRequestedKinguin,
    FulfillmentState,
    FulfillmentUpdated,
    KeyReady,
    Message,
    StockReturned,
)
from contracts.testing import a_rollout_changed, an_order_cancelled
from delivery.testing import ModelDelivery
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_kinguin.adapters.tables import lines, purchases, supplier_guard
from fulfillment_kinguin.bootstrap import build_service
from fulfillment_kinguin.domain.supply import OrderStatus
from fulfillment_kinguin.errors import ProductUnavailable, SupplierError, Unauthorized, Unclear
from fulfillment_kinguin.testing import (
    SIGNER,
    WEBHOOK_SECRET,
    FakeOrder,
    FakeSupplier,
    a_request,
    some_settings,
)
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from persistence.tables import jobs
from servicekit.testing import ServiceHarness, SlowWorker, emptied
from webkit.testing import admin_token

pytestmark = [pytest.mark.component, pytest.mark.timeout(600)]

T = TypeVar("T")
S = FulfillmentState

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "20"))
"""Lives a run; more find more."""

_CHECKED = {1, 2, 3, 5, 11, 13}
"""The invariants that this service and the supplier's ledger can show."""
_SENT = (FulfillmentUpdated, KeyReady, StockReturned)
_ENDS = {S.FAILED, S.RELEASED, S.HANDED_BACK}
_KINDS = ("place", "search", "poll", "return_keys")
_CALLS = ("place", "orders_of", "order", "keys", "return_keys", "product", "balance")
_OPEN = {"planned", "placing", "unknown", "placed", "slow", "return_requested"}
_ALL = sa.select(purchases).order_by(purchases.c.id)
_HOOK = {"X-Event-Name": "order.status", "X-Event-Secret": WEBHOOK_SECRET}

some = st.integers(0, 1_000_000)
_on = st.just(value=True)
moods = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("stuck", "cancel", "refund", "one_by_one", "broken_keys"), _on),
        **dict.fromkeys(("refuse_return", "slow_return", "silent_return"), _on),
        **dict.fromkeys(("repeat_keys", "drop_return_answer", "lose_return"), st.just(1)),
        "polls_until_ready": st.integers(1, 3),
        "fewer_keys": st.integers(1, 2),
        "drop_answer_after_work": st.integers(1, 2),
        "balance": st.sampled_from([Decimal(0), Decimal(5)]),
        "price_factor": st.sampled_from([Decimal(10), Decimal("0.5")]),
    },
)
_AWAY = Unclear("HTTP 502")
_TOO_MANY = Unclear("HTTP 429", retry_after_s=120)
_REFUSALS = (Unauthorized("HTTP 401"), ProductUnavailable("no offer fits"))
failures = st.sampled_from([_AWAY, _TOO_MANY, *_REFUSALS])


class Buying(RuleBasedStateMachine):
    """Buyers, an admin, the supplier with its moods, and workers that are no good."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.clock = FixedClock()
        self.supplier = FakeSupplier()
        self.posts_while_off: int | None = None
        self.is_blind = self.refuses_duplicates = False
        self.requests: list[FulfillmentRequestedKinguin] = []
        self.delivered: list[Message] = []
        self.workers: list[SlowWorker] = []
        self.version = self.read_up_to = 0
        self.said: defaultdict[UUID, set[FulfillmentState]] = defaultdict(set)
        self.delivery = ModelDelivery()
        self.stock: set[str] = set()
        self.overruled: set[str] = set()
        self.do(self._open())

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end on the machine's own loop."""
        return self.loop.run(work)

    async def _open(self) -> None:
        jwks = SIGNER.static_jwks()
        service = build_service(some_settings(self.url), self.clock, jwks, self.supplier)
        await emptied(service.database)
        async with service.database.transaction() as transaction:
            await transaction.execute(sa.insert(supplier_guard).values(id=1, failures=0))
        self.kinguin = await self.stack.enter_async_context(ServiceHarness.start(service))

    def teardown(self) -> None:
        """Let everything come to its end, look once more, and close."""
        try:
            if self.version:
                self.turn_switch(on=True)
                self.do(self._end())
        finally:
            self.do(self.stack.aclose())
            self.loop.close()

    @initialize(hides=st.sampled_from([0, 1, 2, 6]), refuses=st.booleans())
    def open_the_supplier(self, hides: int, *, refuses: bool) -> None:
        """Three searches find what exists; a supplier that hides it longer may sell it twice."""
        self.is_blind, self.refuses_duplicates = hides > 2, refuses
        self._set_mood({}, hides)
        self.turn_switch(on=True)

    def _set_mood(self, mood: Mapping[str, Any], hides: int | None = None) -> None:
        if hides is None:
            hides = self.supplier.faults.hidden_from_search
        self.supplier.set_faults(
            refuse_duplicates=self.refuses_duplicates, hidden_from_search=hides, **mood
        )

    @rule(mood=moods)
    def change_mood(self, mood: dict[str, Any]) -> None:
        """The supplier treats orders otherwise from now on."""
        self._set_mood(mood)

    @rule(calls=st.sets(st.sampled_from(_CALLS), max_size=4), error=failures)
    def fail(self, calls: set[str], error: SupplierError) -> None:
        """Calls are refused before any work; the others work again."""
        fits = {"place"} if isinstance(error, ProductUnavailable) else calls
        self.supplier.errors = dict.fromkeys(calls & fits, error)

    @rule(pick=some, status=st.sampled_from([OrderStatus.CANCELED, OrderStatus.REFUNDED]))
    def end_order(self, pick: int, status: OrderStatus) -> None:
        """The supplier ends an order with the keys it has brought so far."""
        for order in _picked(self.supplier.ledger, pick):
            if order.status is OrderStatus.PROCESSING:
                order.status = status

    @rule(quantity=st.integers(1, 3), runs=st.booleans())
    def request(self, quantity: int, *, runs: bool) -> None:
        """A paid line wants keys."""
        self.requests.append(a_request(quantity))
        self._deliver(self.requests[-1])
        if runs:
            self.wait(2)

    @rule(arrives=st.booleans(), then=st.sampled_from(["peace", "silence", "off"]))
    def lose(self, then: str, *, arrives: bool) -> None:
        """An order without an answer, and what may follow: chance alone seldom goes so far."""
        self._set_mood({"drop_answer_after_work": int(arrives)})
        self.supplier.errors = {} if arrives else {"place": Unclear("no answer: ConnectError")}
        self.request(1, runs=False)
        self.do(self.kinguin.run_jobs())
        self.supplier.errors = {"orders_of": _AWAY} if then == "silence" else {}
        if then == "off":
            self.turn_switch(on=False)
        for _ in range(4):
            self.wait(6 * 3600 if then == "silence" else 61)

    @rule(pick=some)
    def ask_again(self, pick: int) -> None:
        """Orders asks for a line that it has heard nothing of."""
        for request in _picked(self.requests, pick):
            self._deliver(request.model_copy(update={"id": new_id()}))

    @rule(pick=some)
    def cancel(self, pick: int) -> None:
        """A line is not wanted any more."""
        for line in _picked(self.requests, pick):
            message = an_order_cancelled(order_id=line.order_id, line_ids=(line.line_id,))
            self._deliver(message, *self.delivery.cancel(message))

    @rule(quantity=st.integers(1, 3))
    def cancel_first(self, quantity: int) -> None:
        """A cancellation is faster than the request."""
        self.requests.append(a_request(quantity))
        self.cancel(len(self.requests) - 1)
        self._deliver(self.requests[-1])

    @rule(pick=some)
    def reveal(self, pick: int) -> None:
        """A buyer opens the link."""
        for line_id in _picked(sorted(self.delivery.deliveries), pick):
            self._deliver(*self.delivery.reveal(line_id))

    @rule(on=st.booleans())
    def turn_switch(self, *, on: bool) -> None:
        """An admin switches buying on or off."""
        self.version += 1
        self.posts_while_off = None if on else self.supplier.calls["place"]
        self._deliver(a_rollout_changed(kinguin_enabled=on, version=self.version))

    @rule(pick=some)
    def deliver_again(self, pick: int) -> None:
        """A message comes once more."""
        self.do(self.kinguin.deliver(*_picked(self.delivered, pick)))

    def _deliver(self, *messages: Message) -> None:
        self.delivered += messages
        self.do(self.kinguin.deliver(*messages))

    @rule(pick=some)
    def hint(self, pick: int) -> None:
        """The supplier's webhook."""
        for order in _picked(self.supplier.ledger, pick):
            body = {"orderId": order.order_id, "orderExternalId": order.external_id}
            sent = self.kinguin.http.post("/webhooks/kinguin", json=body, headers=_HOOK)
            assert self.do(sent).status_code == 204

    @rule(pick=some, action=st.sampled_from(["poll_now", "search_again", "give_up"]))
    def act(self, pick: int, action: str) -> None:
        """An admin does something about a purchase, or is told why not."""
        for purchase in _picked(self.do(self._execute(_ALL)), pick):
            self.do(self._act(purchase, action))

    async def _act(self, purchase: sa.Row[Any], action: str) -> None:
        path = f"/admin/purchases/{purchase.id}/actions"
        headers = {"Authorization": f"Bearer {admin_token(SIGNER, now=self.clock.now())}"}
        body = {"action": action, "reason": "the model"}
        answer = await self.kinguin.http.post(path, json=body, headers=headers)
        assert answer.status_code in {200, 409, 502, 503}, answer.text
        if answer.status_code == 200 and action == "give_up" and purchase.return_posts:
            # Ended on a look: what the supplier still takes back then is the person's risk.
            self.overruled.add(purchase.kinguin_reservation_id)

    @rule(seconds=st.sampled_from([2, 31, 61, 121, 301, 3700, 25 * 3600]))
    def wait(self, seconds: int) -> None:
        """Time passes, and what is due is done."""
        self.clock.advance(seconds)
        self.do(self.kinguin.run_jobs())

    @rule(kind=st.sampled_from(_KINDS), seconds=st.sampled_from([0, 2, 61, 301]))
    def take_a_job(self, kind: str, seconds: int) -> None:
        """A worker claims a job, and is slow."""
        self.clock.advance(seconds)
        worker = self.do(SlowWorker.take(self.kinguin, kind))
        self.workers += [worker] if worker else []

    @rule(pick=some, frozen=st.booleans())
    def perform(self, pick: int, *, frozen: bool) -> None:
        """He does the work, perhaps when his lease is over and others have done it."""
        for worker in _picked(self.workers, pick):
            if frozen:
                self.do(worker.lose_the_lease())
            self.do(worker.perform())

    @rule(pick=some, times=st.integers(0, 2))
    def settle(self, pick: int, times: int) -> None:
        """He settles what he did, or once too often; or he dies before."""
        for worker in _picked(self.workers, pick):
            self.workers.remove(worker)
            self.do(worker.settle(times=times))
            self.do(worker.lose_the_lease())

    @rule(pick=some)
    def freeze(self, pick: int) -> None:
        """He stands still for so long that others may take his job."""
        for worker in _picked(self.workers, pick):
            self.do(worker.lose_the_lease())

    async def _execute(self, statement: sa.Executable) -> Sequence[sa.Row[Any]]:
        async with self.kinguin.database.transaction() as transaction:
            found = await transaction.execute(statement)
            return found.all() if found.returns_rows else ()

    @invariant()
    def words_fit(self) -> None:
        """What the service said, in its order, is what it may say."""
        self.read_up_to, sent = self.do(self.kinguin.sent_since(self.read_up_to, *_SENT))
        for message in sent:
            self._hear(message)

    def _hear(self, message: Message) -> None:
        if isinstance(message, KeyReady):
            self._hear_keys(message)
        elif isinstance(message, FulfillmentUpdated) and message.line_id:
            self.said[message.line_id].add(message.state)
            if message.line_id in self.delivery.deliveries and message.state in _ENDS:
                is_void = message.state is S.RELEASED and message.line_id in self.delivery.void
                assert is_void, f"{message.state} after the keys"
        elif isinstance(message, StockReturned):
            back = {key.fingerprint for key in message.keys}
            assert not back & self.stock, "the same key into stock twice"
            self.stock |= back

    def _hear_keys(self, message: KeyReady) -> None:
        line_id, keys = message.line_id, {key.fingerprint for key in message.keys}
        [quantity] = {r.quantity for r in self.requests if r.line_id == line_id}
        assert len(keys) == len(message.keys) == quantity
        assert not _ENDS & self.said[line_id], "keys after the end"
        self._deliver(*self.delivery.take_keys(message))

    @invariant()
    def checker_finds_nothing(self) -> None:
        """The invariants of `bitloot verify`, as far as one database can show them."""
        charges = [
            {"order_id": o.order_id, "external_id": o.external_id, "status": o.status.value}
            for o in self.supplier.ledger
            if o.order_id not in self.overruled
        ]
        found = self.do(findings_in_kinguin(self.kinguin.database, self.stock, charges))
        for number in _CHECKED - ({3} if self.is_blind else set()):
            assert not found[number], (number, sorted(found[number]))

    @invariant()
    def books_agree(self) -> None:
        """Whatever costs money has a purchase that knows of it, or looks for it; no job broke."""
        by_id = {row.external_id: row for row in self.do(self._execute(_ALL))}
        for order in self.supplier.ledger:
            _check_books(order, by_id[order.external_id], blind=self.is_blind)
        assert self.posts_while_off in {None, self.supplier.calls["place"]}, "bought while off"
        query = sa.select(jobs.c.kind, jobs.c.last_error).where(jobs.c.last_error.is_not(None))
        assert self.do(self._execute(query)) == []

    async def _end(self) -> None:
        """With a healthy supplier and all workers alive everything comes to its end."""
        self.supplier.errors = {}
        self._set_mood({}, 0)
        await self._execute(sa.update(jobs).values(lease_until=None, lease_token=None))
        for seconds in (2, 61, 61, 61, 301, 301, 3700, 25 * 3600, 25 * 3600, 61, 61, 301):
            self.clock.advance(seconds)
            await self.kinguin.run_jobs()
        for purchase in await self._execute(_ALL):
            assert purchase.state not in _OPEN, f"for ever {purchase.state}"
        for line in await self._execute(sa.select(lines)):
            assert line.state not in {"buying", "delayed"}, f"left alone: {line.state}"


def _check_books(order: FakeOrder, purchase: sa.Row[Any], *, blind: bool) -> None:
    is_known = purchase.kinguin_reservation_id == order.order_id
    is_live = order.status in {OrderStatus.PROCESSING, OrderStatus.COMPLETED}
    is_open = purchase.state in {"placing", "unknown", "needs_attention"}
    if is_live and not blind:
        assert is_known or is_open, f"{order.order_id} is forgotten: {purchase.state}"
    if is_live and is_known and purchase.state != "returned":
        assert purchase.price_charged_eur == order.price_charged
        assert purchase.committed_eur == order.price_charged or blind
    if purchase.state in {"planned", "returned"}:
        assert purchase.committed_eur is None


def _picked(choices: Sequence[T], pick: int) -> Sequence[T]:
    """One, or none: what a rule may do must not depend on how two jobs raced each other."""
    return [choices[pick % len(choices)]] if choices else []


def test_random_lives_buy_once_and_forget_nothing(kinguin_url: str) -> None:
    machine = type("BuyingOnThisDatabase", (Buying,), {"url": kinguin_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
