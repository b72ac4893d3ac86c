import json
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import Body, FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs
from webkit.problems import (
    BodyLimitMiddleware,
    FieldError,
    Problem,
    install_problems,
    problem_response,
)

SECRET = "AAAAA-BBBBB-CCCCC"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Item(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quantity: int = Field(default=1, ge=1, le=9)
    product_id: UUID | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    code: str = Field(default="xyz", max_length=4, pattern="^x")

    @field_validator("code")
    @classmethod
    def _no_q(cls, code: str) -> str:
        if "q" in code:
            raise ValueError("must not contain q")
        return code


class Basket(BaseModel):
    model_config = ConfigDict(extra="forbid")

    items: list[Item]


def an_app() -> FastAPI:
    app = FastAPI()
    install_problems(app)

    @app.post("/baskets")
    async def baskets(basket: Basket, limit: int = 5) -> int:
        return len(basket.items) + limit

    @app.post("/lists")
    async def lists(numbers: Annotated[list[int], Body()]) -> int:
        return sum(numbers)

    @app.get("/sold-out")
    async def sold_out() -> None:
        errors = [FieldError("items.0", "is sold out")]
        raise Problem(409, "Sold out", "One item is gone.", errors=errors, headers={"X-Why": "1"})

    @app.get("/broken")
    async def broken(request: Request) -> None:
        request.state.request_id = "request-1"
        raise RuntimeError(SECRET)

    @app.post("/uploads/keys")
    async def upload(request: Request) -> int:
        return sum([len(chunk) async for chunk in request.stream()])

    return app


def a_client(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with a_client(an_app()) as client:
        yield client


async def test_a_problem_is_answered_as_rfc_9457_says(client: httpx.AsyncClient) -> None:
    response = await client.get("/sold-out")

    assert response.status_code == 409
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-why"] == "1"
    assert response.json() == {
        "type": "about:blank",
        "title": "Sold out",
        "status": 409,
        "detail": "One item is gone.",
        "errors": [{"field": "items.0", "reason": "is sold out"}],
    }


async def test_an_unknown_path_and_a_wrong_method_are_problems(client: httpx.AsyncClient) -> None:
    missing, wrong = await client.get("/nowhere"), await client.delete("/baskets")

    assert (missing.json()["status"], missing.json()["title"]) == (404, "Not Found")
    assert (wrong.json()["status"], wrong.headers["allow"]) == (405, "POST")
    assert {r.headers["content-type"] for r in (missing, wrong)} == {"application/problem+json"}


@pytest.mark.parametrize(
    ("item", "field", "reason"),
    [
        ({"quantity": 0}, "items.0.quantity", "Input should be greater than or equal to 1"),
        ({"quantity": SECRET}, "items.0.quantity", "Input should be a valid integer"),
        ({"product_id": SECRET}, "items.0.product_id", "Input should be a valid UUID"),
        ({"pet": {"kind": SECRET}}, "items.0.pet", "Input should be one of the known kinds"),
        ({"code": SECRET}, "items.0.code", "String should have at most 4 characters"),
        ({"code": "xq"}, "items.0.code", "must not contain q"),
        ({"surprise": SECRET}, "items.0.surprise", "Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_field_is_named_and_its_value_never_repeated(
    client: httpx.AsyncClient, item: dict[str, object], field: str, reason: str
) -> None:
    response = await client.post("/baskets", json={"items": [item]})

    assert response.status_code == 422
    assert response.json()["errors"] == [{"field": field, "reason": reason}]
    assert "AAAAA" not in response.text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"items": [' + SECRET.encode(), "application/json"),
        (b"\xff\xfe", "application/json"),
        (b'{"items": []}', "text/plain"),
        (b"", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b'"AAAAA"', "application/json"),
    ],
)
async def test_a_body_that_is_no_basket_is_a_problem_of_the_client(
    client: httpx.AsyncClient, body: bytes, content_type: str
) -> None:
    response = await client.post("/baskets", content=body, headers={"Content-Type": content_type})

    assert response.status_code in {400, 422}
    assert response.headers["content-type"] == "application/problem+json"
    assert "AAAAA" not in response.text


async def test_broken_json_is_said_of_the_body(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    response = await client.post("/baskets", content=b'{"items":', headers=headers)

    assert response.json()["errors"] == [{"field": "body", "reason": "is not valid JSON"}]


async def test_fields_of_queries_and_of_plain_lists_keep_their_names(
    client: httpx.AsyncClient,
) -> None:
    query = await client.post("/baskets?limit=many", json={"items": []})
    plain = await client.post("/lists", json=[1, "two"])

    assert query.json()["errors"][0]["field"] == "limit"
    assert plain.json()["errors"][0]["field"] == "body"


async def test_an_unexpected_error_shows_the_request_id_and_nothing_else(
    client: httpx.AsyncClient,
) -> None:
    with capture_logs() as lines:
        response = await client.get("/broken")

    assert response.status_code == 500
    assert response.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Something went wrong on our side. Please quote request request-1.",
    }
    assert [(line["event"], line["log_level"]) for line in lines] == [("request.failed", "error")]


@pytest.mark.parametrize(("error", "status"), [(TimeoutError, 503), (KeyError, 500)])
async def test_an_error_that_passes_by_itself_asks_to_come_again(
    error: type[Exception], status: int
) -> None:
    app = FastAPI()
    install_problems(app, lambda error: isinstance(error, TimeoutError))

    @app.get("/")
    async def fails() -> None:
        raise error

    async with a_client(app) as client:
        response = await client.get("/")

    assert response.status_code == status
    assert response.headers.get("Retry-After") == ("2" if status == 503 else None)


async def test_an_error_after_the_answer_began_is_not_swallowed() -> None:
    app = FastAPI()
    install_problems(app)

    async def half(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("cut off")

    app.mount("/half", half)

    async with a_client(app) as client:
        with pytest.raises(RuntimeError, match="cut off"):
            await client.get("/half/x")


def test_the_title_defaults_to_the_phrase_of_the_status() -> None:
    body = json.loads(bytes(problem_response(Problem(404)).body))

    assert body == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": ""}


@pytest.fixture
async def limited() -> AsyncIterator[httpx.AsyncClient]:
    app = an_app()
    app.add_middleware(BodyLimitMiddleware, limits={"/uploads": 1000, "/uploads/keys": 2000})
    async with a_client(app) as client:
        yield client


async def chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


async def test_a_body_at_the_limit_passes_and_one_byte_more_does_not(
    limited: httpx.AsyncClient,
) -> None:
    at_limit = await limited.post("/uploads/keys", content=b"x" * 2000)
    above = await limited.post("/uploads/keys", content=b"x" * 2001)

    assert at_limit.json() == 2000
    assert above.status_code == 413
    assert above.json()["detail"] == "The body may have at most 2000 bytes."
    assert above.headers["content-type"] == "application/problem+json"


async def test_a_streamed_body_without_length_is_counted(limited: httpx.AsyncClient) -> None:
    at_limit = await limited.post("/uploads/keys", content=chunks(20))
    above = await limited.post("/uploads/keys", content=chunks(21))

    assert at_limit.json() == 2000
    assert above.status_code == 413
    assert above.json()["detail"] == "The body may have at most 2000 bytes."


async def test_a_body_longer_than_it_claims_is_counted(limited: httpx.AsyncClient) -> None:
    headers = {"Content-Length": "5"}

    response = await limited.post("/uploads/keys", content=b"x" * 2001, headers=headers)

    assert response.status_code == 413


async def test_elsewhere_the_limit_is_64_kib_also_for_json(limited: httpx.AsyncClient) -> None:
    response = await limited.post("/baskets", content=chunks(1000))
    small = await limited.post("/baskets", json={"items": []})

    assert response.status_code == 413
    assert response.json()["detail"] == "The body may have at most 65536 bytes."
    assert small.status_code == 200
