"""The pages of an order and its refund, in a real browser where there is one."""

from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from foundation.clock import new_id
from playwright.async_api import Page

OWED = "25.00 USD for Moon <b>Farmer</b>. It is owed to you."
COINS = [
    {"code": "btc", "name": "Bitcoin", "network": "Bitcoin", "looks_like": "bc1…"},
    {"code": "usdttrc20", "name": "Tether USD", "network": "Tron", "looks_like": "T…"},
]


class OrdersStandIn:
    """Remembers the address it was given; `refusal` is what it answers instead."""

    def __init__(self) -> None:
        self.refusal: Response | None = None
        self.given: list[dict[str, str]] = []
        self.tokens: set[str | None] = set()
        self.state: dict[str, Any] = {"coin": None, "address": None, "can_be_changed": True}
        self.app = FastAPI()
        self.app.get("/orders/{order_id}")(self._order)
        self.app.get("/orders/{order_id}/refund")(self._refund)
        self.app.post("/orders/{order_id}/refund")(self._give)
        self.app.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
        )

    async def _order(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("authorization"))
        page = {"status_text": "The money for it is owed to you.", "refunds": [{"text": OWED}]}
        return JSONResponse(page)

    async def _refund(self, request: Request) -> Response:
        self.tokens.add(request.headers.get("authorization"))
        return self.refusal or JSONResponse(self._page())

    async def _give(self, request: Request) -> Response:
        self.given.append(await request.json())
        if self.refusal is None:
            self.state |= self.given[-1]
        return self.refusal or JSONResponse(self._page())

    def _page(self) -> dict[str, Any]:
        return {"refunds": [{"text": OWED}], "coins": COINS, **self.state}


@pytest.fixture
async def orders() -> OrdersStandIn:
    return OrdersStandIn()


@pytest.fixture
def service(orders: OrdersStandIn) -> FastAPI:
    return orders.app


async def test_address_is_given_with_the_token_of_the_link(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    await page.goto(f"{shop}/refunds/{new_id()}#the-token")
    await page.get_by_text(OWED).wait_for()

    await page.get_by_label("Coin and network").select_option("usdttrc20")
    await page.get_by_label("Address of your wallet").fill("TR7N")
    await page.get_by_role("button", name="Save the address").click()
    await page.get_by_text("Saved. You get a mail").wait_for()

    assert orders.given == [{"coin": "usdttrc20", "address": "TR7N"}]
    assert orders.tokens == {"Bearer the-token"}
    assert await page.get_by_text("Addresses look like T…").is_visible()


async def test_address_given_before_is_shown_and_what_was_sent_cannot_be_changed(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    orders.state = {"coin": "btc", "address": "bc1q", "can_be_changed": True}
    await page.goto(f"{shop}/refunds/{new_id()}#the-token")
    await page.get_by_text(OWED).wait_for()
    assert await page.get_by_label("Address of your wallet").input_value() == "bc1q"

    orders.state["can_be_changed"] = False
    await page.reload()
    await page.get_by_text(OWED).wait_for()

    assert not await page.get_by_role("button", name="Save the address").is_visible()


async def test_wrong_address_says_what_is_wrong_beside_the_field(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    await page.goto(f"{shop}/refunds/{new_id()}#the-token")
    await page.get_by_text(OWED).wait_for()
    errors = [{"field": "address", "reason": "is not a valid Bitcoin address"}]
    orders.refusal = JSONResponse({"errors": errors}, 422)

    await page.get_by_label("Address of your wallet").fill("nonsense")
    await page.get_by_role("button", name="Save the address").click()

    said = page.get_by_role("alert").get_by_text("The address is not a valid Bitcoin address.")
    await said.wait_for()
    assert await page.get_by_label("Address of your wallet").input_value() == "nonsense"


@pytest.mark.parametrize(("status", "text"), [(404, "not valid"), (503, "try again in a moment")])
async def test_refusal_says_what_to_do(
    shop: str, orders: OrdersStandIn, page: Page, status: int, text: str
) -> None:
    orders.refusal = JSONResponse({"detail": "no"}, status)

    await page.goto(f"{shop}/refunds/{new_id()}#the-token")

    await page.get_by_role("status").get_by_text(text).wait_for()
    assert not await page.get_by_role("button", name="Save the address").is_visible()


async def test_link_without_its_token_says_so(shop: str, page: Page) -> None:
    await page.goto(f"{shop}/refunds/{new_id()}")

    assert await page.get_by_text("Part of the link is missing").is_visible()


async def test_order_page_with_its_token_tells_what_is_owed_and_leads_there(
    shop: str, orders: OrdersStandIn, page: Page
) -> None:
    order_id = new_id()
    await page.goto(f"{shop}/orders/{order_id}#the-token")
    await page.get_by_text(OWED).wait_for()

    await page.get_by_role("link", name="Open your refund").click()
    await page.get_by_role("heading", name="Your refund").wait_for()

    assert page.url == f"{shop}/refunds/{order_id}#the-token"
    assert orders.tokens == {"Bearer the-token"}
