"""The shop as the end-to-end tests see it: its public interfaces and the simulators'.

Every call waits for what it asks about, and says what it saw when that does not come.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

import httpx

from stack.mailboxes import Mail, mails_to
from stack.whole_stack import RunningStack

T = TypeVar("T")

PATIENCE_S: Final = 60.0
_POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """An order as the customer got it."""

    id: str
    token: str
    email: str
    body: Mapping[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        """The order's own bearer token."""
        return {"Authorization": f"Bearer {self.token}"}


class Shop:
    """A customer, a shopkeeper and the two simulators in one pair of hands."""

    def __init__(self, stack: RunningStack, http: httpx.Client) -> None:
        self.stack = stack
        self.http = http
        self.admin = {"Authorization": f"Bearer {stack['ADMIN_TOKEN']}"}

    @classmethod
    def of(cls, stack: RunningStack) -> Self:
        """Open for one run; close `http` at the end."""
        return cls(stack, httpx.Client(timeout=30, trust_env=False))

    def url(self, service: str, path: str) -> str:
        """An address of a service, for example `url("orders", "/products")`."""
        return f"{self.stack[service.replace('-', '_').upper() + '_URL']}{path}"

    def add_product(self, title: str, price: str = "25.00", **fields: Any) -> str:
        """A new product's id."""
        body = {"title": title, "retail_price": {"amount": price, "currency": "USD"}, **fields}
        answer = self.http.post(
            self.url("orders", "/admin/products"), json=body, headers=self.admin
        )
        return str(_good(answer)["id"])

    def upload(self, product_id: str, keys: Sequence[str]) -> Any:
        """Put keys into own stock."""
        url = self.url("fulfillment-custom", f"/admin/products/{product_id}/keys")
        return _good(self.http.post(url, json={"keys": list(keys)}, headers=self.admin))

    def place(self, email: str, *items: tuple[str, int]) -> PlacedOrder:
        """Order products, each with its quantity."""
        body = {
            "email": email,
            "accept_terms": True,
            "items": [{"product_id": product, "quantity": quantity} for product, quantity in items],
        }
        placed = _good(self.http.post(self.url("orders", "/orders"), json=body))
        return PlacedOrder(placed["id"], placed["access_token"], email, placed)

    def page(self, order: PlacedOrder) -> dict[str, Any]:
        """The order page's data."""
        url = self.url("orders", f"/orders/{order.id}")
        page: dict[str, Any] = _good(self.http.get(url, headers=order.headers))
        return page

    def page_or_none(self, order: PlacedOrder) -> dict[str, Any] | None:
        """The order page's data, or None while orders does not answer."""
        try:
            return self.page(order)
        except (httpx.TransportError, AssertionError):
            return None

    def admin_page(self, order: PlacedOrder) -> dict[str, Any]:
        """The order as an admin sees it."""
        url = self.url("orders", f"/admin/orders/{order.id}")
        page: dict[str, Any] = _good(self.http.get(url, headers=self.admin))
        return page

    def invoice(self, order: PlacedOrder) -> str:
        """The id of the order's invoice, once it is ready."""
        url = self.until(lambda: self.page(order)["payment"]["invoice_url"], "an invoice")
        return str(httpx.URL(url).path.rpartition("/")[2])

    def pay(self, order: PlacedOrder, **outcome: Any) -> Any:
        """Pay the order's invoice; `outcome` as the simulator's control side takes it."""
        path = f"/_simulator/invoices/{self.invoice(order)}/pay"
        body = {"outcome": "finished"} | outcome
        return _good(self.http.post(self.url("nowpayments-simulator", path), json=body))

    def wait_for(self, order: PlacedOrder, *statuses: str) -> dict[str, Any]:
        """The order page once it shows one of these statuses."""

        def look() -> dict[str, Any] | None:
            page = self.page(order)
            return page if page["status"] in statuses else None

        return self.until(look, f"{statuses} of order {order.id}", lambda: self.admin_page(order))

    def mails(self, email: str, count: int = 1) -> list[Mail]:
        """At least `count` mails to an address."""

        def look() -> list[Mail] | None:
            found = mails_to(self.stack.mailbox, email)
            return found if len(found) >= count else None

        return self.until(look, f"{count} mails to {email}")

    def links(self, email: str) -> list[tuple[str, str]]:
        """Delivery id and token of every link that was mailed to an address."""
        pattern = r"/keys/([0-9a-f-]{36})#([\w-]+)"
        return [link for mail in self.mails(email) for link in re.findall(pattern, mail.text)]

    def reveal(self, link: tuple[str, str]) -> httpx.Response:
        """Open a mailed link."""
        url = self.url("delivery", f"/deliveries/{link[0]}/reveal")
        return self.http.post(url, json={"token": link[1]})

    def keys(self, email: str) -> list[list[dict[str, str]]]:
        """The keys behind every link mailed to an address, a list for each link."""
        return [_good(self.reveal(link))["keys"] for link in self.links(email)]

    def faults(self, simulator: str, **faults: Any) -> None:
        """Set a simulator's faults; those not named are off."""
        url = self.url(f"{simulator}-simulator", "/_simulator/faults")
        _good(self.http.put(url, json=faults))

    def ledger(self, simulator: str) -> dict[str, Any]:
        """What a simulator knows to have happened."""
        url = self.url(f"{simulator}-simulator", "/_simulator/ledger")
        books: dict[str, Any] = _good(self.http.get(url))
        return books

    def until(
        self,
        look: Callable[[], T | None],
        what: str,
        evidence: Callable[[], object] = lambda: "nothing",
        seconds: float = PATIENCE_S,
    ) -> T:
        """What `look` finds, looking again until it finds something.

        Raises:
            AssertionError: it did not come in time; the text holds the evidence.
        """
        end = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds:.0f} s for {what}; saw {evidence()}")
            time.sleep(_POLL_S)
        return found


def _good(answer: httpx.Response) -> Any:
    if answer.is_error:
        request = f"{answer.request.method} {answer.request.url.path}"
        raise AssertionError(f"{request} answered {answer.status_code}: {answer.text}")
    return answer.json() if answer.content else None
