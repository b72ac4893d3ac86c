import json
import logging
import re
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from foundation.logging import mask_secrets
from foundation.sealing import GameKey
from foundation.telemetry import span_from
from foundation.testing import captured_log
from pydantic import SecretStr
from webkit.access_log import AccessLogMiddleware
from webkit.problems import install_problems

KEY = "AAAAA-BBBBB-CCCCC"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
A_UUID = "01930000-1234-7123-8123-123456789012"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with captured_log("payments") as log:
        yield lambda: [json.loads(line) for line in log.getvalue().splitlines()]


def test_an_event_is_one_json_line_with_time_level_and_service(lines: Lines) -> None:
    structlog.get_logger().warning("invoice.created", attempt=3)

    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("time"))
    assert line == {
        "event": "invoice.created",
        "level": "warning",
        "service": "payments",
        "attempt": 3,
    }


def test_correlation_ids_stand_on_every_line_inside_their_block(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(order_id="o1", message_id="m1"):
        structlog.get_logger().info("order.paid")
        logging.getLogger("aiokafka.consumer").warning("rebalanced %s", "now")
    structlog.get_logger().info("later")

    inside, library, outside = lines()
    assert (inside["order_id"], inside["message_id"]) == ("o1", "m1")
    assert (library["event"], library["order_id"], library["service"]) == (
        "rebalanced now",
        "o1",
        "payments",
    )
    assert "order_id" not in outside


def test_the_active_trace_stands_on_the_line(lines: Lines) -> None:
    with span_from(TRACEPARENT, "test"):
        structlog.get_logger().info("order.paid")
    structlog.get_logger().info("order.paid")

    inside, outside = lines()
    assert inside["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "trace_id" not in outside


@pytest.mark.parametrize("library", ["httpx", "httpcore", "sqlalchemy.engine", "aiokafka"])
def test_chatty_libraries_speak_only_from_warning_on(lines: Lines, library: str) -> None:
    logging.getLogger(library).info("GET https://host/?token=x")
    logging.getLogger(library).warning("trouble")

    assert [line["event"] for line in lines()] == ["trouble"]


def test_the_access_log_of_uvicorn_is_off_and_its_errors_are_json(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info("GET /keys?token=x")
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)

    assert [line["event"] for line in lines()] == ["Started server process [7]"]


def test_lines_below_the_level_are_not_written(lines: Lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("anything").debug("detail")

    assert lines() == []


def test_warnings_of_python_are_json_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old call", stacklevel=1)

    (line,) = lines()
    assert (line["level"], "old call" in line["event"]) == ("warning", True)


def test_secrets_of_every_shape_are_masked_wherever_they_stand(lines: Lines) -> None:
    token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
    try:
        raise ValueError(f"line\n{KEY}")  # noqa: TRY301  # a traceback is the claim here
    except ValueError:
        structlog.get_logger().exception(
            f"sold {KEY}",
            nested={"list": [KEY, (KEY,)], KEY: 1},
            header=f"Bearer {token}",
            bare=token,
            link=f"https://shop/keys/{A_UUID}#{'a1B2' * 10}",
            typed=SecretStr("hunter22"),
            key=GameKey.from_text(KEY),
        )

    (line,) = lines()
    text = json.dumps(line)
    assert not [s for s in (KEY, token, "a1B2", "hunter22") if s in text]
    assert line["link"] == f"https://shop/keys/{A_UUID}#***"
    assert "ValueError" in line["exception"]


@pytest.mark.parametrize(
    "text",
    [
        A_UUID,
        A_UUID.upper(),
        "12345678-1234-7123-8123-123456789012",
        "2026-11-22T12:00:00.123456Z",
        TRACEPARENT,
        "fulfillment.requested.custom",
        "attempt 3 of 10",
        "payments-7d9f8b6c5-x2x4z",
    ],
)
def test_ids_and_times_are_not_taken_for_keys(text: str) -> None:
    assert mask_secrets(text) == text


@pytest.mark.parametrize(
    "text",
    [KEY, "ABCD-1234-EFGH", "X4Y5Z-12345-67890-ABCDE-FGHIJ", f"[{KEY}]", f"\\n{KEY}", f"({KEY},"],
)
def test_common_shapes_of_game_keys_are_masked(text: str) -> None:
    assert not re.search(r"[A-Z0-9]{4}", mask_secrets(text))


@pytest.mark.parametrize("part", ["eyJ", "A", "ABCD-", "0123456789abcdef", "Bearer ", A_UUID])
def test_masking_a_long_text_takes_time_in_proportion_to_its_length(part: str) -> None:
    text = part * (200_000 // len(part))
    started = time.process_time()

    mask_secrets(text)

    assert time.process_time() - started < 1


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    install_problems(app)
    app.add_middleware(AccessLogMiddleware)
    router = APIRouter(prefix="/orders")

    @router.get("/{order_id}")
    async def order(order_id: str) -> str:
        structlog.get_logger().info("order.shown")
        return order_id

    @app.get("/health/live")
    async def live() -> None: ...

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError

    app.include_router(router)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def test_a_request_is_logged_by_route_template_without_its_values(
    lines: Lines, client: httpx.AsyncClient
) -> None:
    await client.get("/orders/hunter22?token=hunter23")

    _, line = lines()
    assert (line["event"], line["method"], line["route"], line["status"]) == (
        "request.served",
        "GET",
        "/orders/{order_id}",
        200,
    )
    assert line["duration_ms"] >= 0
    assert "hunter" not in json.dumps(line)


async def test_all_lines_of_a_request_carry_its_id_and_so_does_the_answer(
    lines: Lines, client: httpx.AsyncClient
) -> None:
    response = await client.get("/orders/1", headers={"X-Request-Id": "from-caller-1"})

    assert response.headers["x-request-id"] == "from-caller-1"
    assert {line["request_id"] for line in lines()} == {"from-caller-1"}


async def test_a_key_sent_as_request_id_is_masked_in_the_log(
    lines: Lines, client: httpx.AsyncClient
) -> None:
    await client.get("/orders/1", headers={"X-Request-Id": KEY})

    assert KEY not in json.dumps(lines())


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "two words here", "späte-id-1234", KEY.replace("-", "/")]
)
async def test_a_request_id_that_is_not_sane_is_replaced(
    lines: Lines, client: httpx.AsyncClient, given: str
) -> None:
    response = await client.get("/orders/1", headers={b"X-Request-Id": given.encode()})

    request_id = response.headers["x-request-id"]
    assert UUID(request_id).version == 7
    assert {line["request_id"] for line in lines()} == {request_id}


async def test_an_unmatched_path_is_not_logged_either(
    lines: Lines, client: httpx.AsyncClient
) -> None:
    await client.get("/hunter22")

    assert [(line["route"], line["status"]) for line in lines()] == [("unmatched", 404)]


async def test_a_failure_is_logged_with_its_trace_and_as_500(
    lines: Lines, client: httpx.AsyncClient
) -> None:
    response = await client.get("/broken")

    failed, served = lines()
    assert "RuntimeError" in failed["exception"]
    assert (served["route"], served["status"]) == ("/broken", 500)
    assert response.headers["x-request-id"] == failed["request_id"]
    assert failed["request_id"] in response.json()["detail"]


async def test_probes_are_not_logged(lines: Lines, client: httpx.AsyncClient) -> None:
    await client.get("/health/live")

    assert lines() == []
