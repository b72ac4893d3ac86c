import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from kinguin_simulator.testing import WEBHOOK_SECRET, open_simulator, place, set_faults


class Receiver:
    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], dict[str, str]]] = []
        self.answers: list[int] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, json.loads(body)))
        status = self.answers.pop(0) if self.answers else 204
        writer.write(
            f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()

    async def has_heard(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.requests) < count:  # noqa: ASYNC110 - the server has no event
                await asyncio.sleep(0.01)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks/kinguin"
    async with server:
        yield receiver


async def test_completed_order_is_told_with_the_shared_secret(receiver: Receiver) -> None:
    async with open_simulator(webhook_url=receiver.url) as client:
        order = (await place(client, external_id="line-1")).json()
        await receiver.has_heard(1)

    headers, event = receiver.requests[0]
    assert headers["x-event-name"] == "order.status"
    assert headers["x-event-secret"] == WEBHOOK_SECRET
    assert (event["orderId"], event["orderExternalId"]) == (order["orderId"], "line-1")
    assert event["status"] == "completed"
    assert event["updatedAt"][-10:-6].startswith(".")
    assert "serial" not in json.dumps(event)


async def test_news_of_a_product_is_told_without_its_price(receiver: Receiver) -> None:
    async with open_simulator(webhook_url=receiver.url) as client:
        path = "/_simulator/products/{}/tell"
        told = await client.post(path.format("5c9b5c9b5c9b5c9b5c9b0001"))
        unknown = await client.post(path.format("5c9b5c9b5c9b5c9b5c9b9999"))
        await receiver.has_heard(1)

    assert (told.status_code, unknown.status_code) == (204, 404)
    headers, event = receiver.requests[0]
    assert headers["x-event-name"] == "product.update"
    assert event.keys() == {
        "kinguinId", "productId", "qty", "textQty", "cheapestOfferId", "updatedAt",
    }  # fmt: skip
    assert event["productId"] == "5c9b5c9b5c9b5c9b5c9b0001"


async def test_refused_event_is_sent_again(receiver: Receiver) -> None:
    receiver.answers = [500]

    async with open_simulator(webhook_url=receiver.url) as client:
        await place(client)
        await receiver.has_heard(2)

    assert receiver.requests[0][1] == receiver.requests[1][1]


async def test_events_can_come_twice_and_misspelled(receiver: Receiver) -> None:
    async with open_simulator(webhook_url=receiver.url) as client:
        await set_faults(client, duplicate_webhooks=True, misspelled_content_type=True)
        await place(client)
        await receiver.has_heard(2)

    assert receiver.requests[0][1] == receiver.requests[1][1]
    assert receiver.requests[0][0]["content-type"] == "aplication/json"
