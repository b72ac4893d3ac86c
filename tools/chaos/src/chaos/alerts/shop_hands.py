"""What customers, admins and strangers do to the shop while its alerts are watched."""

import asyncio
import sys
import uuid
from collections.abc import Callable
from typing import Any, Final

import httpx
from stack.catalogue import sample_keys
from stack.parts.databases import run_sql
from stack.processes import run_to_end
from stack.stack_env import stack_env_file

from chaos.customers import Ticket
from chaos.payments_gone_wrong import finished_notification, sign
from chaos.world import World

_RECONCILE_S: Final = 60.0
_SUPPLIER_S: Final = 60.0
_ORDER_S: Final = 60.0
_WEBHOOK_TIMEOUT_S: Final = 10.0


class NotAsExpected(Exception):
    """A step of the demonstration itself went wrong."""


async def empty_product(world: World) -> str:
    """A product of own stock on sale without a single key."""
    return await _product(world, {"title": f"Sold out {uuid.uuid4().hex[:6]}"})


async def buy(world: World, product: str) -> Ticket:
    """Order one of a product and pay for it."""
    email = f"alerts-{uuid.uuid4().hex[:12]}@example.com"
    body = {
        "email": email,
        "accept_terms": True,
        "items": [{"product_id": product, "quantity": 1}],
    }
    placed = (await world.http.post(world.url("orders", "/orders"), json=body)).raise_for_status()
    fields = placed.json()
    ticket = Ticket(fields["id"], fields["access_token"], email, "alerts")
    await world.customers.pay(ticket)
    return ticket


async def upload(world: World, product: str, count: int = 5) -> None:
    """Bring keys into stock."""
    url = world.url("fulfillment-custom", f"/admin/products/{product}/keys")
    body = {"keys": sample_keys(count)}
    (await world.http.post(url, json=body, headers=_admin(world))).raise_for_status()


async def settled(world: World, ticket: Ticket) -> Ticket:
    """The order once it is fulfilled.

    Raises:
        NotAsExpected: it is not, in time.
    """
    return await _comes_to(world, ticket, lambda page: bool(page["status"] == "fulfilled"))


async def stored(world: World, ticket: Ticket) -> Ticket:
    """The order once its page shows the keys.

    Raises:
        NotAsExpected: it does not, in time.
    """
    return await _comes_to(world, ticket, lambda page: all(it["delivery"] for it in page["items"]))


async def _comes_to(
    world: World, ticket: Ticket, is_there: Callable[[dict[str, Any]], bool]
) -> Ticket:
    end = asyncio.get_running_loop().time() + _ORDER_S
    while not is_there(await world.customers.page(ticket)):
        if asyncio.get_running_loop().time() > end:
            raise NotAsExpected(f"order {ticket.id} is {ticket.status}")
        await asyncio.sleep(0.5)
    return ticket


async def notify(world: World, order_id: str, *, forged: bool = False) -> int:
    """Send a notification to the webhook; the status of its answer, 0 for none."""
    body = finished_notification(order_id)
    secret = "not the secret" if forged else world.stack["NOWPAYMENTS_IPN_SECRET"]
    headers = {"x-nowpayments-sig": sign(body, secret), "Content-Type": "application/json"}
    url = world.url("payments", "/webhooks/nowpayments")
    try:
        answer = await world.http.post(
            url, content=body, headers=headers, timeout=_WEBHOOK_TIMEOUT_S
        )
    except httpx.TransportError:
        return 0
    return answer.status_code


async def pay_gateway(world: World, order_id: str, *, send_ipn: bool) -> None:
    """A payment of 1 USD at the gateway itself, which names an order and passes by its invoice."""
    headers = {"x-api-key": world.stack.plan.secrets["NOWPAYMENTS_API_KEY"]}
    body = {
        "price_amount": 1,
        "price_currency": "usd",
        "pay_currency": "usdttrc20",
        "order_id": order_id,
        "ipn_callback_url": world.url("payments", "/webhooks/nowpayments") if send_ipn else None,
    }
    url = world.url("nowpayments-simulator", "/v1/payment")
    made = (await world.http.post(url, json=body, headers=headers)).raise_for_status().json()
    pay = world.url("nowpayments-simulator", f"/_simulator/payments/{made['payment_id']}/pay")
    outcome = {"outcome": "finished", "send_ipn": send_ipn}
    (await world.http.post(pay, json=outcome)).raise_for_status()


async def reconcile(world: World) -> None:
    """Run `bitloot reconcile` with the settings of payments and Kinguin, who may fail just now.

    Raises:
        NotAsExpected: it did not find the payment that nobody was told of.
    """
    env_file = stack_env_file(world.stack.folder / "alerts")
    command = [sys.executable, "-m", "bitloot_cli", "reconcile", "--again-after", "0"]
    command += ["--env-file", str(env_file)]
    settings = world.stack.plan.environment("fulfillment-kinguin")
    settings |= world.stack.plan.environment("payments")
    ended = await asyncio.to_thread(
        run_to_end, command, deadline_s=_RECONCILE_S, environment=settings
    )
    if "unknown_payment" not in ended.stdout:
        raise NotAsExpected(f"reconcile ended {ended.returncode}: {ended.stdout}{ended.stderr}")


async def search_kinguin(world: World) -> None:
    """An admin looks for products at Kinguin, whatever the answer."""
    url = world.url("fulfillment-kinguin", "/admin/kinguin/products")
    await world.http.get(url, params={"name": "iron"}, headers=_admin(world))


async def supplier_orders(world: World) -> int:
    """How many orders Kinguin has taken."""
    url = world.url("kinguin-simulator", "/_simulator/ledger")
    return len((await world.http.get(url)).raise_for_status().json()["orders"])


async def supplier_has_more_orders(world: World, *, than: int) -> None:
    """Wait until Kinguin has taken a further order.

    Raises:
        TimeoutError: none came within a minute.
    """
    async with asyncio.timeout(_SUPPLIER_S):
        while await supplier_orders(world) <= than:  # noqa: ASYNC110  a ledger behind HTTP
            await asyncio.sleep(0.05)


async def poll_now(world: World) -> None:
    """An admin has every placed purchase asked for at once."""
    base = world.url("fulfillment-kinguin", "/admin/purchases")
    for state in ("placed", "slow"):
        listed = await world.http.get(base, params={"state": state}, headers=_admin(world))
        for purchase in listed.raise_for_status().json()["items"]:
            body = {"action": "poll_now", "reason": "alerts are being tried"}
            url = f"{base}/{purchase['id']}/actions"
            (await world.http.post(url, json=body, headers=_admin(world))).raise_for_status()


async def sql(world: World, service: str, *statements: str) -> None:
    """Statements in a service's database, as its own role."""
    url = world.stack[f"{service.replace('-', '_').upper()}_DATABASE_URL"]
    await asyncio.to_thread(run_sql, url, *statements)


async def kinguin_product(world: World) -> str:
    """A product that is bought at Kinguin."""
    number = world.dice.randint(10, 24)
    fields = {
        "title": f"Bought {uuid.uuid4().hex[:6]}",
        "source_type": "kinguin",
        "kinguin_product_id": f"5c9b5c9b5c9b5c9b5c9b{number:04d}",
        "kinguin_offer_id": f"5f7e5f7e5f7e5f7e5f7e{number:04d}",
    }
    return await _product(world, fields)


async def _product(world: World, fields: dict[str, Any]) -> str:
    body = {"retail_price": {"amount": "60.00", "currency": "USD"}, **fields}
    url = world.url("orders", "/admin/products")
    answer = await world.http.post(url, json=body, headers=_admin(world))
    return str(answer.raise_for_status().json()["id"])


def _admin(world: World) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.stack['ADMIN_TOKEN']}"}
