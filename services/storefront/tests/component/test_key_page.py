"""The page behind a mailed link, in a real browser where there is one."""

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from foundation.clock import new_id
from playwright.async_api import Page

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class DeliveryStandIn:
    """Answers reveals as told and remembers what it was sent."""

    def __init__(self) -> None:
        self.answer: Response = JSONResponse({"keys": [], "reveals_left": 0})
        self.posted: list[dict[str, str]] = []
        self.app = FastAPI()
        self.app.post("/deliveries/{delivery_id}/reveal")(self._reveal)
        self.app.add_middleware(
            CORSMiddleware, allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"]
        )

    async def _reveal(self, request: Request) -> Response:
        self.posted.append(await request.json())
        return self.answer


@pytest.fixture
async def delivery() -> DeliveryStandIn:
    return DeliveryStandIn()


@pytest.fixture
def service(delivery: DeliveryStandIn) -> FastAPI:
    return delivery.app


async def test_page_forbids_everything_foreign_and_is_not_kept(shop: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{shop}/keys/{new_id()}")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/keys/nonsense", "/orders/nonsense", "/nothing"])
async def test_page_that_is_none_is_not_found(shop: str, path: str) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{shop}{path}")).status_code == 404


async def test_click_reveals_text_and_picture(
    shop: str, delivery: DeliveryStandIn, page: Page
) -> None:
    keys = [
        {"type": "text/plain", "value": "AAAA-<b>1</b>"},
        {"type": "image/png", "base64": PIXEL},
    ]
    delivery.answer = JSONResponse({"keys": keys, "reveals_left": 4})
    await page.goto(f"{shop}/keys/{new_id()}#the-token")
    assert delivery.posted == []

    await page.get_by_role("button", name="Reveal my key").click()
    await page.get_by_text("AAAA-<b>1</b>").wait_for()

    assert delivery.posted == [{"token": "the-token"}]
    assert await page.get_by_alt_text("Key 2 as a picture").count() == 1
    assert await page.get_by_text("opened 4 more times").is_visible()
    assert await page.get_by_role("button", name="Reveal my key").count() == 0


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (404, "not valid"),
        (410, "expired or was used up"),
        (429, "Too many tries"),
        (503, "was not counted"),
    ],
)
async def test_refusal_says_what_to_do(
    shop: str, delivery: DeliveryStandIn, page: Page, status: int, text: str
) -> None:
    delivery.answer = JSONResponse({"detail": "no"}, status)
    await page.goto(f"{shop}/keys/{new_id()}#the-token")

    await page.get_by_role("button", name="Reveal my key").click()

    said = page.get_by_role("status").get_by_text(text)
    await said.wait_for()
    assert await said.is_visible()


async def test_answer_that_is_cut_off_promises_nothing_about_the_count(
    shop: str, delivery: DeliveryStandIn, page: Page
) -> None:
    delivery.answer = Response('{"keys": [', media_type="application/json")
    await page.goto(f"{shop}/keys/{new_id()}#the-token")

    await page.get_by_role("button", name="Reveal my key").click()

    said = page.get_by_role("status").get_by_text("did not arrive")
    await said.wait_for()
    assert await said.is_visible()


async def test_link_without_its_token_says_so(shop: str, page: Page) -> None:
    await page.goto(f"{shop}/keys/{new_id()}")

    assert await page.get_by_text("Part of the link is missing").is_visible()
    assert await page.get_by_role("button", name="Reveal my key").count() == 0
