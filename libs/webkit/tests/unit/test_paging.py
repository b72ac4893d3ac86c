from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import httpx
import pytest
from fastapi import Depends, FastAPI
from webkit.paging import Page, PageRequest, encode_cursor
from webkit.problems import Problem, install_problems

NUMBERS = list(range(60))


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)

    @app.get("/numbers")
    async def numbers(page: Annotated[PageRequest, Depends()]) -> Page[int]:
        after = page.after(int)
        rest = [n for n in NUMBERS if after is None or n > after[0]]
        return Page.of(rest[: page.limit + 1], page.limit, lambda n: [n])

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_walking_the_cursors_shows_every_item_once(client: httpx.AsyncClient) -> None:
    seen: list[int] = []
    sizes: list[int] = []
    cursor: str | None = None

    while True:
        parameters = {"cursor": cursor} if cursor else {}
        page = (await client.get("/numbers", params=parameters)).json()
        seen += page["items"]
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert seen == NUMBERS
    assert sizes == [25, 25, 10]


async def test_a_list_that_ends_with_the_page_has_no_next_cursor(client: httpx.AsyncClient) -> None:
    page = (await client.get("/numbers?limit=60")).json()

    assert (len(page["items"]), page["next_cursor"]) == (60, None)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
async def test_a_limit_outside_1_to_100_is_refused(client: httpx.AsyncClient, limit: str) -> None:
    response = await client.get(f"/numbers?limit={limit}")

    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == "limit"


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense!",
        "bm9uc2Vuc2U",
        "",
        encode_cursor([]),
        encode_cursor([1, 2]),
        encode_cursor(["x"]),
        "eyJhIjoxfQ",
        "NQ",
        "bnVsbA",
        "W251bGxd",
        "W1tdXQ",
        "x" * 501,
    ],
)
async def test_a_forged_cursor_is_refused_like_any_bad_field(
    client: httpx.AsyncClient, cursor: str
) -> None:
    response = await client.get("/numbers", params={"cursor": cursor})

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["cursor"]


def test_a_cursor_of_time_and_id_is_read_back_exactly() -> None:
    at = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
    last = UUID("01930000-0000-7000-8000-000000000001")
    page = PageRequest(cursor=encode_cursor([at, last]))

    assert page.after(datetime.fromisoformat, UUID) == (at, last)


def test_a_cursor_with_parts_swapped_is_refused() -> None:
    page = PageRequest(cursor=encode_cursor(["not a time", "not an id"]))

    with pytest.raises(Problem):
        page.after(datetime.fromisoformat, UUID)
