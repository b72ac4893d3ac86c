"""The command names what differs and what could not be asked; rows wait until settled."""

import asyncio
import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from bitloot_cli.main import app
from foundation.clock import new_id
from servicekit.testing import migrated
from stack.fixtures import NewDatabase
from typer.testing import CliRunner, Result

pytestmark = pytest.mark.component

SERVICES = ("payments", "orders", "fulfillment-kinguin")
UNREACHABLE = {
    "NOWPAYMENTS_API_URL": "http://127.0.0.1:9/v1",
    "NOWPAYMENTS_API_KEY": "k",
    "NOWPAYMENTS_EMAIL": "e",
    "NOWPAYMENTS_PASSWORD": "p",
}


@pytest.fixture(scope="module")
def templates(new_database: NewDatabase) -> dict[str, str]:
    return {name: migrated(name.replace("-", "_"), new_database()) for name in SERVICES}


@pytest.fixture
def urls(new_database: NewDatabase, templates: dict[str, str]) -> dict[str, str]:
    return {name: new_database(template=url) for name, url in templates.items()}


def run(urls: dict[str, str], *arguments: str, **variables: str) -> Result:
    settings = {f"{n.upper().replace('-', '_')}_DATABASE_URL": url for n, url in urls.items()}
    environment = {"COLUMNS": "200"} | settings | variables
    at_once = [] if arguments[:1] in (("list",), ("settle",)) else ["--again-after", "0"]
    return CliRunner().invoke(app, ["reconcile", *at_once, *arguments], env=environment)


def execute(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    async def go() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return list(await connection.fetch(query, *values))
        finally:
            await connection.close()

    return asyncio.run(go())


@pytest.fixture
def paid_without_money(urls: dict[str, str]) -> str:
    order = new_id()
    execute(
        urls["orders"],
        "INSERT INTO orders (id, email, currency, total, source_type, status, money, cancelled,"
        " late, attention, placed_at, expires_at) VALUES ($1, 'b@example.org', 'USD', 25,"
        " 'custom', 'paid', 'paid', false, false, '{}', now(), now())",
        order,
    )
    return str(order)


def test_a_gateway_out_of_reach_is_named_and_the_rest_is_compared(
    urls: dict[str, str], paid_without_money: str, tmp_path: Path
) -> None:
    report = tmp_path / "report.csv"

    answer = run(urls, "--csv", str(report), **UNREACHABLE)

    assert answer.exit_code == 2
    assert "not reconciled: the gateway's payments" in answer.stderr
    assert "1 differences, 1 of them new" in answer.stdout
    [row] = csv.DictReader(report.read_text().splitlines())
    assert (row["kind"], row["amount"], row["currency"]) == (
        "paid_order_without_money",
        "25.00000000",
        "USD",
    )
    assert paid_without_money in row["about"]


def test_a_missing_setting_is_a_part_that_is_missing(urls: dict[str, str]) -> None:
    answer = run(urls)

    assert answer.exit_code == 2
    assert "NOWPAYMENTS_API_URL is not set" in answer.stderr


def test_news_that_comes_meanwhile_is_no_difference(
    urls: dict[str, str], paid_without_money: str
) -> None:
    def tell() -> None:
        time.sleep(2)
        execute(urls["orders"], "UPDATE orders SET money = 'none'")

    with ThreadPoolExecutor() as pool:
        told = pool.submit(tell)
        answer = run(urls, "--again-after", "4", **UNREACHABLE)
        told.result()

    assert "0 differences" in answer.stdout
    assert paid_without_money not in answer.stdout
    assert execute(urls["payments"], "SELECT FROM differences") == []


@pytest.mark.usefixtures("paid_without_money")
def test_a_difference_is_noted_once_and_waits_until_it_is_settled(urls: dict[str, str]) -> None:
    run(urls, **UNREACHABLE)
    again = run(urls, **UNREACHABLE)
    [row] = execute(urls["payments"], "SELECT id, settled_at FROM differences")

    settled = run(urls, "settle", str(row["id"]), "--how", "refunded by hand")
    twice = run(urls, "settle", str(row["id"]), "--how", "again")

    assert "1 differences, 0 of them new" in again.stdout
    assert settled.stdout.strip() == "settled"
    assert twice.exit_code == 1
    assert "it was settled, or never there" in twice.stderr
    assert "0 differences wait" in run(urls, "list").stdout
    assert "1 differences, 0 of them new, 1 settled before" in run(urls, **UNREACHABLE).stdout
    [entry] = execute(urls["payments"], "SELECT action, reason FROM operator_log")
    assert tuple(entry) == ("difference.settled", "refunded by hand")


def test_a_noted_surplus_is_reported_and_waits_for_nobody(
    urls: dict[str, str], tmp_path: Path
) -> None:
    execute(urls["payments"], NOTED, new_id(), new_id())
    report = tmp_path / "report.csv"

    answer = run(urls, "--csv", str(report), **UNREACHABLE)

    assert "1 surpluses noted, too little to send back" in answer.stdout
    assert "0 differences, 0 of them new" in answer.stdout
    [row] = csv.DictReader(report.read_text().splitlines())
    assert (row["kind"], row["about"], row["amount"]) == ("surplus_noted", "payment 7", "0.001")
    assert row["says"] == "too little to send back, worth 0.5 USD"
    assert execute(urls["payments"], "SELECT id FROM differences") == []


NOTED = """
WITH i AS (INSERT INTO invoices (order_id, price_amount, price_currency, description, placed_at,
expires_at, state) VALUES ($1, 25, 'USD', 'Game', now(), now(), 'settled') RETURNING order_id),
p AS (INSERT INTO payments (payment_id, id, order_id, status, rank, actually_paid, first_seen_at,
updated_at) SELECT '7', $2, order_id, 'finished', 7, 0.051, now(), now() FROM i
RETURNING payment_id, order_id)
INSERT INTO noted_surpluses SELECT payment_id, order_id, 0.001, 'btc', 0.5, 'USD', now() FROM p
"""


def test_a_missing_database_is_named(urls: dict[str, str]) -> None:
    answer = run({"payments": urls["payments"]})

    assert answer.exit_code == 2
    assert "ORDERS_DATABASE_URL" in answer.stderr


@pytest.fixture
def kinguin() -> Iterator[str]:
    """Kinguin's stand-in as a process of its own, delivering at once; its buyer API."""
    command = [sys.executable, "-m", "kinguin_simulator", "--port", "0", "--delivery-delay-ms", "0"]
    command += ["--api-key", "k", "--webhook-secret", "w"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield line.split()[-1]
        finally:
            process.terminate()


def buy(kinguin: str, external_id: str) -> str:
    """What somebody buys with the shop's account; the supplier's order id."""
    position = {"productId": "5c9b5c9b5c9b5c9b5c9b0001", "qty": 1, "price": 50}
    body = {"products": [position], "orderExternalId": external_id}
    answer = httpx.post(f"{kinguin}/v2/order", json=body, headers={"x-api-key": "k"})
    return str(answer.raise_for_status().json()["orderId"])


PURCHASE = """
WITH l AS (INSERT INTO lines (id, order_id, product_id, title, quantity, kinguin_product_id,
highest_unit_price, highest_currency, lines_in_order, buyer, state, requested_at)
VALUES ($1, $1, $1, 'Game', 1, 'p', 50, 'USD', 1, '{}', 'fulfilling', now()) RETURNING id)
INSERT INTO purchases (id, line_id, attempt, external_id, state, quantity, created_at, updated_at)
SELECT $1, id, 1, $2, $3, 1, now(), now() FROM l
"""


def test_orders_of_the_supplier_that_nobody_asked_for_are_named(
    urls: dict[str, str], kinguin: str
) -> None:
    execute(urls["fulfillment-kinguin"], PURCHASE, new_id(), "looked-for", "unknown")
    execute(urls["fulfillment-kinguin"], PURCHASE, new_id(), "given-up", "failed")
    looked_for = buy(kinguin, "looked-for")
    nobodys = {buy(kinguin, "given-up"), buy(kinguin, "by-hand")}

    answer = run(urls, **UNREACHABLE, KINGUIN_API_URL=kinguin, KINGUIN_API_KEY="k")

    rows = execute(urls["payments"], "SELECT kind, subject FROM differences")
    assert {row["kind"] for row in rows} == {"unknown_supplier_order"}
    assert {row["subject"].split()[-1] for row in rows} == nobodys
    assert "Kinguin's orders" not in answer.stderr
    assert looked_for not in answer.stdout
