"""Customers who keep at it: they order, pay and reveal while services come and go.

Everything is retried as a browser or a person would, with an idempotency key where there
is one, so that whatever is lost is the shop's fault. Whom an order belongs to is kept.
"""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import httpx
from stack.catalogue import sample_keys
from stack.whole_stack import RunningStack

Sources = Literal["any", "own", "bought", "both"]
SETTLED: Final = frozenset({"fulfilled"})
_CANCELLED: Final = frozenset({"fulfilled", "refund_due"})
"""Who saw the key first keeps it."""
_PATIENCE_S: Final = 240.0
_KEYS_AT_ONCE: Final = 1000
_KINGUIN_PRODUCTS: Final = range(1, 25)


class ShopStuck(Exception):
    """The shop did not answer for four minutes."""


@dataclass(slots=True)
class Ticket:
    """One order; `why` names the run that it belongs to."""

    id: str
    token: str
    email: str
    why: str
    status: str = "placed"
    deliveries: tuple[str, ...] = ()
    is_cancelled: bool = False

    def is_open(self, statuses: frozenset[str]) -> bool:
        """Whether it has not come to one of these ends; a cancelled one may end with money owed."""
        return self.status not in (statuses | _CANCELLED if self.is_cancelled else statuses)

    @property
    def headers(self) -> dict[str, str]:
        """The order's own bearer token."""
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class Customers:
    """A crowd with one address book; `tickets` holds every order that was placed."""

    stack: RunningStack
    http: httpx.AsyncClient
    dice: random.Random
    tickets: list[Ticket] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    pause_s: float = 0.5
    """Between two looks at a page, and before something is tried again."""
    _own: list[str] = field(default_factory=list)
    _bought: list[str] = field(default_factory=list)
    reveals: int = 0

    async def open_shop(self, own: int = 3, keys_each: int = _KEYS_AT_ONCE) -> None:
        """Add products of both sources with stock enough for the run."""
        for number in range(own):
            product = await self._add_product(f"Chaos {number} {secrets.token_hex(3)}", {})
            await self._upload(product, sample_keys(keys_each))
            self._own.append(product)
        for number in self.dice.sample(_KINGUIN_PRODUCTS, 3):
            kinguin = {
                "source_type": "kinguin",
                "kinguin_product_id": f"5c9b5c9b5c9b5c9b5c9b{number:04d}",
                "kinguin_offer_id": f"5f7e5f7e5f7e5f7e5f7e{number:04d}",
            }
            title = f"Chaos bought {number} {secrets.token_hex(3)}"
            self._bought.append(await self._add_product(title, kinguin))

    async def order(self, why: str, sources: Sources = "any") -> Ticket:
        """Place an order of one or two lines; `any` is a line of each every other time."""
        items = [
            {"product_id": self.dice.choice(products), "quantity": self.dice.choice((1, 1, 2))}
            for products in self._choose(sources)
        ]
        email = f"chaos-{secrets.token_hex(6)}@example.com"
        body = {"email": email, "accept_terms": True, "items": items}
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        placed = await self._until(
            lambda: self.http.post(self._url("orders", "/orders"), json=body, headers=headers)
        )
        ticket = Ticket(placed["id"], placed["access_token"], email, why)
        self.tickets.append(ticket)
        return ticket

    def _choose(self, sources: Sources) -> list[list[str]]:
        if sources == "any":
            sources = self.dice.choice(("own", "bought", "both", "both"))
        both = {"own": self._own, "bought": self._bought}
        return list(both.values()) if sources == "both" else [both[sources]]

    async def pay(self, ticket: Ticket, **outcome: Any) -> None:
        """Wait for the invoice and pay it on the gateway's page, once."""
        invoice_id = await self.invoice(ticket)
        url = self._url("nowpayments-simulator", f"/_simulator/invoices/{invoice_id}/pay")
        body = {"outcome": "finished"} | outcome
        try:
            answer = await self.http.post(url, json=body)
        except httpx.TransportError:
            await asyncio.sleep(self.pause_s)
            if await self.payment_of(ticket) is not None:
                return
            answer = await self.http.post(url, json=body)
        answer.raise_for_status()

    async def payment_of(self, ticket: Ticket) -> str | None:
        """The id of the order's first payment, by the gateway's ledger."""
        url = self._url("nowpayments-simulator", "/_simulator/ledger")
        payments = (await self.http.get(url)).raise_for_status().json()["payments"]
        ids = (str(row["payment_id"]) for row in payments if row["order_id"] == ticket.id)
        return next(ids, None)

    async def invoice(self, ticket: Ticket) -> str:
        """The id of the order's invoice, once it is there."""
        while True:
            page = await self.page(ticket)
            url = (page["payment"] or {}).get("invoice_url")
            if url:
                return str(httpx.URL(url).path.rpartition("/")[2])
            await asyncio.sleep(self.pause_s)

    async def order_and_pay(self, why: str, sources: Sources = "any") -> Ticket:
        """One whole purchase up to the money."""
        ticket = await self.order(why, sources)
        await self.pay(ticket)
        return ticket

    async def order_and_regret(self, why: str) -> Ticket:
        """A purchase from Kinguin that an admin cancels once it is paid, or a little later."""
        ticket = await self.order_and_pay(why, "bought")
        ticket.is_cancelled = True
        while ticket.status not in {"fulfilling", "fulfilled"}:
            await asyncio.sleep(self.pause_s)
            await self.page(ticket)
        await asyncio.sleep(self.dice.uniform(0, 5))
        url = self._url("orders", f"/admin/orders/{ticket.id}/actions")
        body = {"action": "cancel", "reason": "the buyer thought better of it"}
        await self._until(lambda: self.http.post(url, json=body, headers=self._admin))
        return ticket

    async def page(self, ticket: Ticket) -> dict[str, Any]:
        """The order page, asked for until it comes; the ticket learns its state."""
        url = self._url("orders", f"/orders/{ticket.id}")
        page: dict[str, Any] = await self._until(lambda: self.http.get(url, headers=ticket.headers))
        ticket.status = page["status"]
        found = (item.get("delivery") or {} for item in page["items"])
        ticket.deliveries = tuple(delivery["id"] for delivery in found if delivery.get("id"))
        return page

    async def reveal_one(self) -> bool:
        """Open a link of some settled order with its own token, once more; whether it worked."""
        settled = [ticket for ticket in self.tickets if ticket.status in SETTLED]
        if not settled:
            return False
        ticket = self.dice.choice(settled)
        delivery = self.dice.choice(ticket.deliveries)
        url = self._url("delivery", f"/deliveries/{delivery}/reveal")
        try:
            answer = await self.http.post(url, json={}, headers=ticket.headers)
        except httpx.TransportError:
            return False
        if answer.is_success:
            self.reveals += 1
        return answer.is_success

    async def reveal_all(self, ticket: Ticket) -> list[dict[str, Any]]:
        """Open every link of an order; the keys that are shown."""
        keys: list[dict[str, Any]] = []
        for delivery in ticket.deliveries:
            url = self._url("delivery", f"/deliveries/{delivery}/reveal")
            shown = await self._until(
                lambda url=url: self.http.post(url, json={}, headers=ticket.headers)  # type: ignore[misc]  # as above
            )
            self.reveals += len(shown["keys"]) > 0
            keys += shown["keys"]
        return keys

    async def look(self, statuses: frozenset[str] = SETTLED) -> list[Ticket]:
        """Ask after every open order once; those that are still open."""
        open_ones = self.open_tickets(statuses)
        for ticket in open_ones:
            await self.page(ticket)
        return self.open_tickets(statuses)

    def open_tickets(self, statuses: frozenset[str] = SETTLED) -> list[Ticket]:
        """Orders that had not come to their end when they were last looked at."""
        return [ticket for ticket in self.tickets if ticket.is_open(statuses)]

    async def wait_settled(
        self, patience_s: float, statuses: frozenset[str] = SETTLED
    ) -> list[Ticket]:
        """Wait until every order has come to an end; those that have not when patience does."""
        end = asyncio.get_running_loop().time() + patience_s
        while left := await self.look(statuses):
            if asyncio.get_running_loop().time() > end:
                return left
            await asyncio.sleep(1)
        return []

    def _url(self, service: str, path: str) -> str:
        return f"{self.stack[service.replace('-', '_').upper() + '_URL']}{path}"

    async def _add_product(self, title: str, fields: dict[str, str]) -> str:
        price = {"amount": "60.00", "currency": "USD"}
        body = {"title": title, "retail_price": price, **fields}
        url = self._url("orders", "/admin/products")
        answer = await self._until(lambda: self.http.post(url, json=body, headers=self._admin))
        return str(answer["id"])

    async def _upload(self, product: str, keys: list[str]) -> None:
        url = self._url("fulfillment-custom", f"/admin/products/{product}/keys")
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            body = {"keys": keys[start : start + _KEYS_AT_ONCE]}
            await self._until(
                lambda body=body: self.http.post(url, json=body, headers=self._admin)  # type: ignore[misc]  # a default binds the loop's variable
            )
        self.keys.extend(keys)

    @property
    def _admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.stack['ADMIN_TOKEN']}"}

    async def _until(self, ask: Callable[[], Awaitable[httpx.Response]]) -> Any:
        """The JSON of a good answer, asking again while the shop is away.

        Raises:
            ShopStuck: it does not come back.
            httpx.HTTPStatusError: it refused for good.
        """
        end = asyncio.get_running_loop().time() + _PATIENCE_S
        last = "nothing"
        while asyncio.get_running_loop().time() < end:
            try:
                answer = await ask()
            except httpx.TransportError as error:
                last = repr(error)
            else:
                if not _is_passing(answer):
                    return answer.raise_for_status().json()
                last = f"{answer.status_code} {answer.text[:200]}"
            await asyncio.sleep(self.pause_s)
        raise ShopStuck(last)


def _is_passing(answer: httpx.Response) -> bool:
    # Stock of a new product reaches the catalogue a moment after its upload, and a product that
    # is too dear at Kinguin is sold again once its offer was looked at anew: a shop that never
    # does is stuck. 500 is not among them: what passes by itself is answered with 503.
    return answer.status_code in {409, 429, 502, 503, 504}


def by_status(tickets: Iterable[Ticket]) -> str:
    """A line for people: how many orders stand where."""
    counts: dict[str, int] = {}
    for ticket in tickets:
        counts[ticket.status] = counts.get(ticket.status, 0) + 1
    return ", ".join(f"{count} {status}" for status, count in sorted(counts.items())) or "none"
