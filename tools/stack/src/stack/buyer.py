"""A customer and a shopkeeper who use nothing but the public interfaces (interfaces.md).

The customer orders, pays at the simulator's pay page, waits for the mail and opens the key with
the link in it.
"""

import asyncio
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx

from stack.errors import StackError
from stack.mailboxes import MailAddress, mails_to
from stack.stack_env import StackEnv

_DEADLINE_S = 90.0
_POLL_S = 0.1

T = TypeVar("T")


class PurchaseFailed(StackError):
    """A purchase did not go as promised; `suspects` are the services whose logs may say why."""

    def __init__(self, reason: str, *suspects: str) -> None:
        self.suspects = suspects
        super().__init__(reason)


@dataclass
class Receipt:
    """What a customer saw, with the time of each thing."""

    title: str
    source: str
    key: str = field(repr=False, default="")
    events: list[tuple[datetime, str]] = field(default_factory=list)

    def note(self, what: str, at: datetime | None = None) -> None:
        """Remember an event, by default of this moment."""
        self.events.append((at or datetime.now(UTC), what))

    def timeline(self) -> list[tuple[float, str]]:
        """The events in order, in seconds since the first."""
        events = sorted(self.events)
        return [((at - events[0][0]).total_seconds(), what) for at, what in events]


class Buyer:
    """One customer, with an address of their own: `name` and something random."""

    def __init__(self, http: httpx.AsyncClient, variables: StackEnv, name: str) -> None:
        self._http = http
        self._variables = variables
        self._email = f"{name}.{secrets.token_hex(4)}@example.com"

    async def find_product(self, title: str) -> str:
        """The id of the product with that title.

        Raises:
            PurchaseFailed: the shop has none.
        """
        url = f"{self._variables['ORDERS_URL']}/products"
        found = checked(await self._http.get(url, params={"query": title}), "orders")
        for product in found["items"]:
            if product["title"] == title:
                return str(product["id"])
        raise PurchaseFailed(f"the shop has no product {title!r}", "orders")

    async def buy(self, product_id: str, source: str) -> Receipt:
        """Order one piece, pay, wait for the mail, open the key.

        Raises:
            PurchaseFailed: something did not happen within its time.
        """
        order = await self._place(product_id)
        receipt = Receipt(order["items"][0]["title"], source)
        receipt.note(f"ordered for {order['total']['amount']} {order['total']['currency']}")
        await self._pay(order, receipt)
        await self._open(await self._link(order, receipt, source), receipt)
        await self._read_history(order, receipt)
        return receipt

    async def _place(self, product_id: str) -> dict[str, Any]:
        body = {
            "email": self._email,
            "accept_terms": True,
            "items": [{"product_id": product_id, "quantity": 1}],
        }
        url = f"{self._variables['ORDERS_URL']}/orders"
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        placed: dict[str, Any] = checked(
            await self._http.post(url, json=body, headers=headers), "orders"
        )
        return placed

    async def _pay(self, order: dict[str, Any], receipt: Receipt) -> None:
        async def invoice_url() -> str | None:
            payment = (await self._order(order))["payment"] or {}
            url: str | None = payment.get("invoice_url")
            return url

        page = await within("no invoice came", invoice_url, "payments", "orders")
        receipt.note("invoice ready")
        checked(await self._http.get(page), "nowpayments-simulator")
        gateway = self._variables["NOWPAYMENTS_SIMULATOR_URL"]
        invoice_id = httpx.URL(page).path.rstrip("/").rpartition("/")[2]
        url = f"{gateway}/_simulator/invoices/{invoice_id}/pay"
        answer = await self._http.post(url, json={"outcome": "finished"})
        checked(answer, "nowpayments-simulator")
        receipt.note("paid in crypto on the gateway's page")

    async def _link(self, order: dict[str, Any], receipt: Receipt, source: str) -> str:
        pattern = re.escape(self._variables["STOREFRONT_URL"]) + r"/keys/[0-9a-f-]+#[\w-]+"

        async def mailed() -> str | None:
            for mail in await asyncio.to_thread(mails_to, self._mailbox(), self._email):
                found = re.search(pattern, mail.text)
                if found:
                    return found[0]
            return None

        suspects = ("payments", "orders", f"fulfillment-{source}", "delivery")
        link = await within(f"no mail for order {order['id']} came", mailed, *suspects)
        receipt.note("mail with the link arrived")
        return link

    async def _open(self, link: str, receipt: Receipt) -> None:
        page, _, token = link.partition("#")
        checked(await self._http.get(page), "storefront")
        delivery_id = page.rpartition("/")[2]
        url = f"{self._variables['DELIVERY_URL']}/deliveries/{delivery_id}/reveal"
        revealed = checked(await self._http.post(url, json={"token": token}), "delivery")
        receipt.key = revealed["keys"][0]["value"]
        receipt.note(f"key revealed: {receipt.key}")

    async def _read_history(self, order: dict[str, Any], receipt: Receipt) -> None:
        async def fulfilled() -> dict[str, Any] | None:
            seen = await self._order(order)
            return seen if seen["status"] == "fulfilled" else None

        seen = await within("the order is not fulfilled", fulfilled, "orders", "delivery")
        for entry in seen["history"]:
            receipt.note(f"order {entry['status']}", datetime.fromisoformat(entry["at"]))

    async def _order(self, order: dict[str, Any]) -> dict[str, Any]:
        url = f"{self._variables['ORDERS_URL']}/orders/{order['id']}"
        headers = {"Authorization": f"Bearer {order['access_token']}"}
        seen: dict[str, Any] = checked(await self._http.get(url, headers=headers), "orders")
        return seen

    def _mailbox(self) -> Any:
        folder = self._variables.get("MAILBOX_DIR")
        return MailAddress("", 0, folder, self._variables.get("MAILPIT_URL")).open()


class Shopkeeper:
    """The owner of the shop, with an admin token."""

    def __init__(self, http: httpx.AsyncClient, variables: StackEnv) -> None:
        self._http = http
        self._variables = variables
        self._headers = {"Authorization": f"Bearer {variables['ADMIN_TOKEN']}"}

    async def add_product(self, title: str, price_usd: str) -> str:
        """The id of a new product that is sold from own stock."""
        fields = {"title": title, "retail_price": {"amount": price_usd, "currency": "USD"}}
        url = f"{self._variables['ORDERS_URL']}/admin/products"
        answer = await self._http.post(url, json=fields, headers=self._headers)
        return str(checked(answer, "orders")["id"])

    async def upload_keys(self, product_id: str, keys: list[str]) -> None:
        """Put keys into own stock."""
        base = self._variables["FULFILLMENT_CUSTOM_URL"]
        url = f"{base}/admin/products/{product_id}/keys"
        answer = await self._http.post(url, json={"keys": keys}, headers=self._headers)
        checked(answer, "fulfillment-custom")

    async def keys_bought_from_kinguin(self) -> set[str]:
        """Every key in Kinguin's own ledger."""
        url = f"{self._variables['KINGUIN_SIMULATOR_URL']}/_simulator/ledger"
        ledger = checked(await self._http.get(url), "kinguin-simulator")
        return {key["serial"] for order in ledger["orders"] for key in order["keys"]}


async def within(problem: str, look: Callable[[], Awaitable[T | None]], *suspects: str) -> T:
    """What `look` finds, looking again until it finds something.

    Raises:
        PurchaseFailed: nothing was found within 90 s.
    """
    end = time.monotonic() + _DEADLINE_S
    while (found := await look()) is None:
        if time.monotonic() > end:
            raise PurchaseFailed(f"{problem} within {_DEADLINE_S:.0f} s", *suspects)
        await asyncio.sleep(_POLL_S)
    return found


def checked(answer: httpx.Response, service: str) -> Any:
    """The body of a good answer, None if it is not JSON.

    Raises:
        PurchaseFailed: the service refused.
    """
    if answer.is_error:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise PurchaseFailed(f"{request} answered {answer.status_code}: {answer.text}", service)
    is_json = "json" in answer.headers.get("Content-Type", "")
    return answer.json() if is_json else None
