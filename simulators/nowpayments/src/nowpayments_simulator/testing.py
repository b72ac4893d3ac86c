"""Helpers for tests: a tiny shop that receives IPNs, and the simulator in process."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from nowpayments_simulator.app import create_app
from nowpayments_simulator.js_json import canonical_text, signature
from nowpayments_simulator.options import Options

API_KEY = "test-api-key"
IPN_SECRET = "simulator-ipn-secret-1"


@dataclass(frozen=True)
class Received:
    """One request that reached the shop."""

    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        """The body, parsed."""
        fields: dict[str, Any] = json.loads(self.body)
        return fields

    @property
    def is_signed(self) -> bool:
        """Whether the signature fits the canonical text of the body."""
        expected = signature(canonical_text(self.fields), IPN_SECRET)
        return self.headers["x-nowpayments-sig"] == expected


class Shop:
    """An HTTP server on loopback that keeps what it gets; `answers` are its next statuses."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        pairs = (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(headers, body))
        status = self.answers.pop(0) if self.answers else 200
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    @property
    def statuses(self) -> list[str]:
        """The payment statuses heard of, in order."""
        return [received.fields["payment_status"] for received in self.received]

    async def has_heard(self, count: int) -> None:
        """Wait until `count` requests came."""
        await eventually(lambda: len(self.received) >= count)


@asynccontextmanager
async def open_shop() -> AsyncIterator[Shop]:
    """A shop on a free port."""
    shop = Shop()
    server = await asyncio.start_server(shop.serve, "127.0.0.1", 0)
    shop.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ipn"
    async with server:
        yield shop


@asynccontextmanager
async def open_simulator(**settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a fresh simulator that moves fast; it sends the right API key."""
    fast: dict[str, Any] = {"step_delay_ms": 5, "ipn_retry_delay_ms": 5}
    options = Options(api_key=API_KEY, ipn_secret=IPN_SECRET, **(fast | settings))
    app = create_app(options)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://simulator",
            headers={"x-api-key": API_KEY},
        ) as client,
    ):
        yield client


async def eventually(holds: Callable[[], bool], deadline_s: float = 10) -> None:
    """Wait until `holds()`.

    Raises:
        TimeoutError: it did not within `deadline_s`.
    """
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


async def an_invoice(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    """Create an invoice; the answer."""
    body = {"price_amount": 39.99, "price_currency": "usd", "order_id": "order-1"} | fields
    response = await client.post("/v1/invoice", json=body)
    response.raise_for_status()
    invoice: dict[str, Any] = response.json()
    return invoice


async def pay(
    client: httpx.AsyncClient, invoice_id: str, outcome: str = "finished", **fields: Any
) -> dict[str, Any]:
    """Pay an invoice by the control side; the ledger's row of the payment."""
    response = await client.post(
        f"/_simulator/invoices/{invoice_id}/pay", json={"outcome": outcome} | fields
    )
    response.raise_for_status()
    row: dict[str, Any] = response.json()
    return row


async def settled(client: httpx.AsyncClient, payments: int = 1) -> list[dict[str, Any]]:
    """Wait until that many payments have ended; their rows in the ledger."""
    async with asyncio.timeout(10):
        while True:
            rows: list[dict[str, Any]] = (await client.get("/_simulator/ledger")).json()["payments"]
            if len(rows) >= payments and all(row["is_settled"] for row in rows):
                return rows
            await asyncio.sleep(0.005)
