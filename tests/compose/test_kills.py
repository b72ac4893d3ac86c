"""A container that is killed or stopped while orders run costs no order and doubles none.

On the compose stack that runs, with as many replicas as it has: `make compose-kill`.
"""

import asyncio
import os
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from bitloot_verify.check import Report, check
from bitloot_verify.reading import SERVICES as WITH_DATABASE
from bitloot_verify.sources import Bucket, Simulators, Sources
from pydantic import SecretStr
from stack.catalogue import load_catalogue
from stack.compose_demo import admin_token, compose_plan, compose_settings
from stack.processes import run_to_end
from stack.stack_env import stack_env
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("compose"), pytest.mark.timeout(400)]

SERVICES = ("payments", "orders", "fulfillment-custom", "fulfillment-kinguin", "delivery")
PARTS = ("kafka", "postgres")
ORDERS = 6
AWAY_S = 3.0
PATIENCE_S = 240.0
KINGUIN = {"kinguin_product_id": "5c9b5c9b5c9b5c9b5c9b0006", "source_type": "kinguin"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop on the compose stack; after the last test every invariant must hold."""
    if os.environ.get("COMPOSE") != "running":
        pytest.skip("no compose stack asked for: make compose-up compose-kill")
    folder = tmp_path_factory.mktemp("compose-kill")
    plan, token = compose_plan(compose_settings(), folder), admin_token()
    load_catalogue(plan, token)
    began = datetime.now(UTC) - timedelta(minutes=1)
    stack = RunningStack(folder, stack_env(plan, token), plan.mail.open(), plan.kafka, plan)
    shop = Shop.of(stack)
    yield shop
    shop.http.close()
    report = asyncio.run(verify(stack, began))
    assert report.violations == 0, {n: found for n, found in report.findings.items() if found}
    assert report.orders_read > 0


async def verify(stack: RunningStack, since: datetime) -> Report:
    urls = {name: SecretStr(stack[f"{constant(name)}_DATABASE_URL"]) for name in WITH_DATABASE}
    bucket = Bucket(
        endpoint_url=stack["S3_ENDPOINT_URL"],
        name=stack["S3_BUCKET"],
        access_key_id=stack["S3_ACCESS_KEY_ID"],
        secret_access_key=SecretStr(stack["S3_SECRET_ACCESS_KEY"]),
    )
    simulators = Simulators(stack["NOWPAYMENTS_SIMULATOR_URL"], stack["KINGUIN_SIMULATOR_URL"])
    async with Sources.connect(urls, bucket, simulators) as sources:
        return await check(partial(sources.read, since), 15.0)


def constant(name: str) -> str:
    return name.replace("-", "_").upper()


def docker(*arguments: str) -> str:
    ended = run_to_end(["docker", *arguments], deadline_s=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def one_container(service: str) -> str:
    return docker("compose", "ps", "--quiet", service).splitlines()[0]


class Orders:
    """Orders of one own and one bought key each, placed and ready to be paid."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.name = secrets.token_hex(3).upper()
        self.own_keys = {f"{self.name}-{number:05d}-CCCCC" for number in range(ORDERS)}
        own = shop.add_product(f"Own {self.name}")
        shop.upload(own, sorted(self.own_keys))
        offer = {"kinguin_offer_id": "5f7e5f7e5f7e5f7e5f7e0006"}
        bought = shop.add_product(f"Bought {self.name}", "60.00", **KINGUIN, **offer)
        emails = [f"kill-{self.name.lower()}-{number}@example.com" for number in range(ORDERS)]
        self.placed = [shop.place(email, (own, 1), (bought, 1)) for email in emails]
        self.invoices = [shop.invoice(order) for order in self.placed]

    def pay(self, invoice: str) -> None:
        url = self.shop.url("nowpayments-simulator", f"/_simulator/invoices/{invoice}/pay")
        self.shop.http.post(url, json={"outcome": "finished"}).raise_for_status()
        time.sleep(0.3)  # spread, so that the end of the container falls into different steps

    def all_fulfilled(self) -> None:
        for order in self.placed:
            self.shop.until(
                partial(self._is_fulfilled, order),
                f"order {order.id} to be fulfilled",
                partial(self.shop.page_or_none, order),
                PATIENCE_S,
            )

    def _is_fulfilled(self, order: PlacedOrder) -> bool:
        return (self.shop.page_or_none(order) or {}).get("status") == "fulfilled"

    def revealed(self, order: PlacedOrder) -> list[str]:
        # The same mail may come twice, with the same link and Message-ID.
        links = sorted(set(self.shop.links(order.email)))
        answers = [self.shop.reveal(link).raise_for_status().json() for link in links]
        return [key["value"] for answer in answers for key in answer["keys"]]


def all_delivered_once(orders: Orders) -> None:
    revealed = [key for order in orders.placed for key in orders.revealed(order)]
    assert len(revealed) == len(set(revealed)) == 2 * ORDERS
    assert orders.own_keys < set(revealed)
    bought = set(revealed) - orders.own_keys
    lines = [line["id"] for order in orders.placed for line in order.body["items"]]
    ledger = [
        entry
        for entry in orders.shop.ledger("kinguin")["orders"]
        if any(line in str(entry["external_id"]) for line in lines)
    ]
    assert len(ledger) == ORDERS
    assert {key["serial"] for entry in ledger for key in entry["keys"]} == bought


@pytest.mark.parametrize("victim", [*SERVICES, *PARTS])
def test_container_killed_during_orders_loses_and_doubles_nothing(shop: Shop, victim: str) -> None:
    orders = Orders(shop)
    container = one_container(victim)

    for invoice in orders.invoices[: ORDERS // 2]:
        orders.pay(invoice)
    docker("kill", container)
    for invoice in orders.invoices[ORDERS // 2 :]:
        orders.pay(invoice)
    time.sleep(AWAY_S)
    docker("start", container)

    orders.all_fulfilled()
    all_delivered_once(orders)


@pytest.mark.parametrize("victim", SERVICES)
def test_container_stopped_during_orders_loses_and_doubles_nothing(shop: Shop, victim: str) -> None:
    orders = Orders(shop)
    container = one_container(victim)

    for invoice in orders.invoices[: ORDERS // 2]:
        orders.pay(invoice)
    began = time.monotonic()
    docker("stop", container)
    stopping_s = time.monotonic() - began
    for invoice in orders.invoices[ORDERS // 2 :]:
        orders.pay(invoice)
    docker("start", container)

    orders.all_fulfilled()
    all_delivered_once(orders)
    assert stopping_s < 25
    assert docker("inspect", "--format", "{{.State.OOMKilled}}", container) == "false"
