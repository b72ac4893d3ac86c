"""Reporting a bad key on the page of an order, in a real browser where there is one."""

from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from foundation.clock import new_id
from playwright.async_api import Page

SAID = "You have reported this key. A person looks into it."


class OrdersStandIn:
    """An order of one delivered item; `refusal` is what it answers to a report instead."""

    def __init__(self) -> None:
        self.refusal: Response | None = None
        self.reported: list[tuple[str, Any]] = []
        self.tokens: set[str | None] = set()
        self.item_id = str(new_id())
        self.is_shown = True
        self.has_key = True
        self.app = FastAPI()
        self.app.get("/orders/{order_id}")(self._order)
        self.app.get("/orders/{order_id}/bad-keys")(self._keys)
        self.app.post("/orders/{order_id}/items/{item_id}/report")(self._report)
        self.app.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
        )

    async def _order(self) -> Response:
        if not self.is_shown:
            return JSONResponse({"detail": "no"}, 404)
        return JSONResponse({"status_text": "Your keys are ready.", "refunds": []})

    async def _keys(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("authorization"))
        case = {"state": "open", "text": SAID} if self.reported else None
        item = {"item_id": self.item_id, "title": "Moon <b>Farmer</b>", "case": case}
        return JSONResponse({"items": [item] if self.has_key else []})

    async def _report(self, item_id: str, request: Request) -> Response:
        self.tokens.add(request.headers.get("authorization"))
        if self.refusal is not None:
            return self.refusal
        self.reported.append((item_id, await request.json()))
        return JSONResponse({"state": "open", "text": SAID})


@pytest.fixture
async def orders() -> OrdersStandIn:
    return OrdersStandIn()


@pytest.fixture
def service(orders: OrdersStandIn) -> FastAPI:
    return orders.app


async def fill(shop: str, page: Page) -> None:
    await page.goto(f"{shop}/orders/{new_id()}#the-token")
    await page.get_by_role("heading", name="A key does not work?").wait_for()
    await page.get_by_label("What happens when you use the key").fill("It was used already.")


async def test_key_is_reported_and_the_page_says_how_it_stands(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    await fill(shop, page)
    await page.get_by_label("Product").select_option("Moon <b>Farmer</b>")

    await page.get_by_role("button", name="Report the key").click()
    await page.get_by_text("We have your report.").wait_for()

    assert orders.reported == [(orders.item_id, {"reason": "It was used already."})]
    assert orders.tokens == {"Bearer the-token"}
    assert await page.get_by_text(f"Moon <b>Farmer</b>: {SAID}").is_visible()
    assert not await page.get_by_role("button", name="Report the key").is_visible()


async def test_key_can_be_reported_when_the_order_is_not_shown_any_more(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    orders.is_shown = False

    await fill(shop, page)

    assert await page.get_by_role("button", name="Report the key").is_visible()


async def test_text_with_a_key_is_refused_beside_the_field_and_kept(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    errors = [{"field": "reason", "reason": "seems to hold a key: please leave it out"}]
    orders.refusal = JSONResponse({"errors": errors}, 422)
    await fill(shop, page)

    await page.get_by_role("button", name="Report the key").click()
    await page.get_by_role("alert").get_by_text("The text seems to hold a key").wait_for()

    field = page.get_by_label("What happens when you use the key")
    assert await field.input_value() == "It was used already."
    assert await field.get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize(
    ("status", "text"), [(409, "that time is over"), (503, "try again in a moment")]
)
async def test_refusal_says_what_is_wrong(
    shop: str, orders: OrdersStandIn, page: Page, status: int, text: str
) -> None:
    orders.refusal = JSONResponse({"detail": "a key can be reported: that time is over"}, status)
    await fill(shop, page)

    await page.get_by_role("button", name="Report the key").click()

    await page.get_by_role("status").get_by_text(text).wait_for()


async def test_nothing_is_offered_without_a_key(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    orders.has_key = False
    await page.goto(f"{shop}/orders/{new_id()}#the-token")

    await page.get_by_text("Your keys are ready.").wait_for()

    assert not await page.get_by_role("heading", name="A key does not work?").is_visible()
