"""The previous release and this one side by side on one schema, in the middle of orders.

The previous release's code is taken from the repository's history (`PREVIOUS_RELEASE`), so
the test needs a clone that reaches back to it. Both run on this version's dependencies.
"""

import io
import os
import secrets
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from stack.plan import SERVICES_WITH_DATABASE
from stack.ports import LOOPBACK, free_port
from stack.testing import PlacedOrder, Shop
from stack.verify import verify
from stack.whole_stack import RunningStack, whole_stack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("upgrade"), pytest.mark.timeout(300)]

REPOSITORY = Path(__file__).parents[2]
PREVIOUS = (Path(__file__).parent / "PREVIOUS_RELEASE").read_text().strip()


@pytest.fixture(scope="module")
def previous_code(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where Python finds the previous release's packages, as `PYTHONPATH`."""
    archive = subprocess.run(
        ["git", "archive", PREVIOUS, "libs", "services"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        pytest.skip(f"the previous release is not in this clone: git fetch origin {PREVIOUS}")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    return os.pathsep.join(str(path) for path in sorted(folder.glob("*/*/src")))


@pytest.fixture
def stack(previous_code: str, tmp_path: Path) -> Iterator[RunningStack]:
    """The whole stack as the previous release would have it."""
    old = {service: {"PYTHONPATH": previous_code} for service in SERVICES_WITH_DATABASE}
    with whole_stack(tmp_path, old) as running:
        yield running


def environment(stack: RunningStack, service: str) -> dict[str, str]:
    """What this version's process of a service gets: the same settings, its own code and port."""
    settings = stack.plan.environment(service)
    del settings["PYTHONPATH"]
    return settings | {"PORT": str(free_port())}


def module(service: str) -> str:
    return service.replace("-", "_")


@contextmanager
def beside(stack: RunningStack, service: str) -> Iterator[str]:
    """Migrate a service to this version, and run a replica of it beside the old one; its URL."""
    settings = environment(stack, service)
    program = [sys.executable, "-m", module(service)]
    subprocess.run([*program, "migrate"], env=settings, check=True, capture_output=True)
    with (stack.folder / f"new-{service}.log").open("wb") as log:
        replica = subprocess.Popen([*program, "serve"], env=settings, stdout=log, stderr=log)
        try:
            Shop.of(stack).until(lambda: is_ready(settings["PORT"]), f"the new {service}")
            yield f"http://{LOOPBACK}:{settings['PORT']}"
        finally:
            replica.terminate()
            replica.wait(30)


def is_ready(port: str) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/health/ready", trust_env=False).is_success
    except httpx.TransportError:
        return False


def a_shop_with_both_sources(shop: Shop) -> tuple[str, str]:
    name = secrets.token_hex(3).upper()
    own = shop.add_product(f"Own {name}")
    shop.upload(own, [f"{name}-{number:05d}-UUUUU" for number in range(20)])
    bought = shop.add_product(
        f"Bought {name}",
        "60.00",
        source_type="kinguin",
        kinguin_product_id="5c9b5c9b5c9b5c9b5c9b0006",
        kinguin_offer_id="5f7e5f7e5f7e5f7e5f7e0006",
    )
    return own, bought


def test_orders_live_through_an_upgrade_and_a_rollback(stack: RunningStack) -> None:
    shop = Shop.of(stack)
    products = a_shop_with_both_sources(shop)

    def place(moment: str) -> list[PlacedOrder]:
        return [
            shop.place(f"{moment}-{n}@example.com", *((product, 1) for product in products))
            for n in range(3)
        ]

    unpaid, waiting = place("unpaid"), place("waiting")
    shop.faults("kinguin", stuck=True)
    for order in waiting:
        shop.pay(order)

    with ExitStack() as replicas:
        for service in SERVICES_WITH_DATABASE:
            replicas.enter_context(beside(stack, service))
        shop.faults("kinguin")
        during = place("during")
        for order in (*unpaid, *during):
            shop.pay(order)
        for order in (*waiting, *unpaid, *during):
            settled(shop, order)
        stack.kill("orders")  # the old version comes back on the new schema

    shop.until(lambda: is_ready(shop.url("orders", "").rpartition(":")[2]), "the old orders")
    after = place("after")  # rolled back: only the old version runs
    for order in after:
        shop.pay(order)
        settled(shop, order)
    with beside(stack, "fulfillment-custom") as url:  # puts right what the old version left behind
        path = f"/admin/products/{products[0]}/keys"
        keys = {"keys": ["UPGRD-AGAIN-00001"]}
        shop.http.post(f"{url}{path}", json=keys, headers=shop.admin).raise_for_status()
        assert {n: found for n, found in verify(stack).findings.items() if found} == {}
    shop.http.close()


def settled(shop: Shop, order: PlacedOrder) -> None:
    shop.until(
        lambda: (shop.page_or_none(order) or {}).get("status") == "fulfilled",
        f"order {order.id} to be fulfilled",
        lambda: shop.page_or_none(order),
        seconds=120,
    )
