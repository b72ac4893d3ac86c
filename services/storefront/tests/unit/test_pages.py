"""The pages as they leave the storefront, without a browser."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from storefront.bootstrap import build_app
from storefront.entrypoints.http_pages import _id
from storefront.settings import StorefrontSettings
from webkit.problems import Problem

DELIVERY = "01a206a8-0d73-7fdd-b08c-ec858e87a7c4"
PAGES = ["/", f"/keys/{DELIVERY}", f"/orders/{DELIVERY}", f"/refunds/{DELIVERY}"]
SETTINGS = StorefrontSettings(
    environment="development",
    storefront_url="https://shop.example",
    orders_url="https://orders.example",
    delivery_url="https://delivery.example/",
)


@pytest.fixture
async def shop() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=build_app(SETTINGS), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "asks"),
    [
        ("/", "'none'"),
        (f"/keys/{DELIVERY}", "https://delivery.example"),
        (f"/orders/{DELIVERY}", "https://orders.example"),
        (f"/refunds/{DELIVERY}", "https://orders.example"),
    ],
)
async def test_each_page_may_talk_to_its_service_and_to_nobody_else(
    shop: httpx.AsyncClient, path: str, asks: str
) -> None:
    header = (await shop.get(path)).headers["content-security-policy"]
    policy = dict(part.strip().split(" ", 1) for part in header.split(";"))

    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == asks
    assert {policy["script-src"], policy["style-src"]} == {"'self'"}
    assert policy["frame-ancestors"] == "'none'"


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_kept_by_nobody_and_sends_no_referrer(
    shop: httpx.AsyncClient, path: str
) -> None:
    answer = await shop.get(path)

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_holds_a_script_or_style_of_its_own(
    shop: httpx.AsyncClient, path: str
) -> None:
    text = (await shop.get(path)).text

    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\bstyle=|\bon\w+=|javascript:", text) == []
    assert re.findall(r"(?:src|href)=\"(?!/)", text) == []


async def test_page_of_a_link_knows_where_to_post_and_no_token(shop: httpx.AsyncClient) -> None:
    text = (await shop.get(f"/keys/{DELIVERY}")).text

    assert f'data-url="https://delivery.example/deliveries/{DELIVERY}/reveal"' in text
    assert "token" not in text


@pytest.mark.parametrize("page", ["keys", "orders", "refunds"])
async def test_scripts_and_styles_that_pages_name_are_there(
    shop: httpx.AsyncClient, page: str
) -> None:
    text = (await shop.get(f"/{page}/{DELIVERY}")).text

    for path in re.findall(r'"(/static/[^"]+)"', text):
        assert (await shop.get(path)).status_code == 200, path


@given(st.text(max_size=40).filter(lambda text: len(text.strip("{}-")) < 32))
def test_what_is_no_id_is_no_page(text: str) -> None:
    with pytest.raises(Problem) as refused:
        _id(text)

    assert refused.value.status == 404


@pytest.mark.parametrize("name", ["storefront_url", "orders_url", "delivery_url"])
@pytest.mark.parametrize("value", ["shop.example", "ftp://shop.example", "https://", ""])
def test_address_that_is_none_is_refused_at_start(name: str, value: str) -> None:
    given_values = SETTINGS.model_dump() | {name: value}

    with pytest.raises(ValidationError, match=name):
        StorefrontSettings(**given_values)
