"""Customers and gateways that do not behave: each is one order, and what it does to the shop."""

import asyncio
import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, Final

from chaos.customers import Ticket
from chaos.world import World

Customer = Callable[[World, str], Awaitable[Ticket]]
_FULFILLED_WITHIN_S: Final = 240.0


class NotRefused(Exception):
    """The shop took a notification that it must refuse, or refused one that it must take."""


class NotPaid(Exception):
    """The gateway knows no payment of an order that was paid."""


async def behaves(world: World, why: str) -> Ticket:
    """Orders anything and pays."""
    return await world.customers.order_and_pay(why)


def pays(**outcome: Any) -> Customer:
    """Pays the invoice once, as the simulator's control side takes it."""

    async def buy(world: World, why: str) -> Ticket:
        ticket = await world.customers.order(why)
        await world.customers.pay(ticket, **outcome)
        return ticket

    return buy


def buys(sources: Any) -> Customer:
    """Buys lines of certain sources and pays."""

    async def buy(world: World, why: str) -> Ticket:
        return await world.customers.order_and_pay(why, sources)

    return buy


async def reveals(world: World, why: str) -> Ticket:
    """Buys of both sources, and opens every link as soon as the order is fulfilled."""
    ticket = await world.customers.order_and_pay(why, "both")
    await _fulfilled(world, ticket)
    await world.customers.reveal_all(ticket)
    return ticket


async def regrets(world: World, why: str) -> Ticket:
    """Buys from Kinguin, and an admin cancels it when it is paid: its keys are offered back."""
    return await world.customers.order_and_regret(why)


async def is_notified(world: World, why: str) -> Ticket:
    """Pays, and finds the notification of it among those that payments took.

    Raises:
        NotRefused: it was not taken: asking the gateway paid the order, not its word.
    """
    ticket = await world.customers.order_and_pay(why)
    await _fulfilled(world, ticket)
    if "finished" not in await _notices(world, ticket):
        raise NotRefused(f"no notice of {ticket.id} being finished was taken")
    return ticket


async def is_told_again(world: World, why: str) -> Ticket:
    """Has its key when the gateway repeats every notification of its payment, last one first."""
    ticket = await world.customers.order_and_pay(why)
    await _fulfilled(world, ticket)
    payment = await _payment(world, ticket)
    for status in ("finished", "sending", "confirmed", "confirming", "waiting"):
        await _simulate(world, payment, "resend", status=status)
    return ticket


async def takes_the_money_back(world: World, why: str) -> Ticket:
    """Has its key when the gateway gives the money back."""
    ticket = await world.customers.order_and_pay(why)
    await _fulfilled(world, ticket)
    await _simulate(world, await _payment(world, ticket), "refund")
    return ticket


async def pays_in_another_coin(world: World, why: str) -> Ticket:
    """Sends another coin than was asked for to the address, and then pays as it should."""
    ticket = await world.customers.order(why)
    await world.customers.pay(ticket, outcome="waiting")
    coin = {"outcome": "finished", "pay_currency": "ltc"}
    await _simulate(world, await _payment(world, ticket), "deposit", **coin)
    await world.customers.pay(ticket)
    return ticket


async def pays_twice(world: World, why: str) -> Ticket:
    """Pays, and pays the same invoice again."""
    ticket = await world.customers.order_and_pay(why)
    await world.customers.pay(ticket)
    return ticket


async def pays_after_expiry(world: World, why: str) -> Ticket:
    """Lets the payment expire, and sends the money after that."""
    ticket = await world.customers.order(why)
    await world.customers.pay(ticket, outcome="expired")
    payment = await _payment(world, ticket)
    await asyncio.sleep(1)
    await _simulate(world, payment, "pay", outcome="finished")
    return ticket


async def forges(world: World, why: str) -> Ticket:
    """Pays nothing and sends a notification with a signature of its own."""
    ticket = await world.customers.order(why)
    await world.customers.invoice(ticket)
    body = finished_notification(ticket.id)
    await _post(world, body, sign(body, "not the secret"), expected=401)
    return ticket


async def changes_a_byte(world: World, why: str) -> Ticket:
    """Pays nothing and changes one byte of a signed notification."""
    ticket = await world.customers.order(why)
    await world.customers.invoice(ticket)
    body = finished_notification(ticket.id)
    signature = sign(body, world.stack["NOWPAYMENTS_IPN_SECRET"])
    await _post(world, body.replace(b'"price_amount":60', b'"price_amount":6'), signature, 401)
    return ticket


async def cuts_short(world: World, why: str) -> Ticket:
    """Pays nothing and sends the first half of a notification, well signed: no notification."""
    ticket = await world.customers.order(why)
    await world.customers.invoice(ticket)
    body = finished_notification(ticket.id)
    half = body[: len(body) // 2]
    await _post(world, half, sign(half, world.stack["NOWPAYMENTS_IPN_SECRET"]), expected=400)
    return ticket


async def steals_the_secret(world: World, why: str) -> Ticket:
    """Pays nothing and sends a well-signed notification: the gateway itself must be asked."""
    ticket = await world.customers.order(why)
    await world.customers.invoice(ticket)
    body = finished_notification(ticket.id)
    await _post(world, body, sign(body, world.stack["NOWPAYMENTS_IPN_SECRET"]), expected=200)
    return ticket


async def names_an_unknown_order(world: World, why: str) -> Ticket:
    """A well-signed notification about an order that does not exist, beside a good purchase."""
    body = finished_notification(str(uuid.uuid4()))
    await _post(world, body, sign(body, world.stack["NOWPAYMENTS_IPN_SECRET"]), expected=200)
    return await world.customers.order_and_pay(why)


def finished_notification(order_id: str) -> bytes:
    """A notification whose canonical form is what `json` writes: sorted, no broken numbers."""
    fields = {
        "actually_paid": 60,
        "order_id": order_id,
        "outcome_amount": 59,
        "outcome_currency": "usdttrc20",
        "pay_address": "nowhere",
        "pay_amount": 60,
        "pay_currency": "usdttrc20",
        "payment_id": int(Decimal(uuid.uuid4().int % 10**10)),
        "payment_status": "finished",
        "price_amount": 60,
        "price_currency": "usd",
    }
    return json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()


def sign(body: bytes, secret: str) -> str:
    """The signature of a notification in that form."""
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


async def _fulfilled(world: World, ticket: Ticket) -> None:
    async with asyncio.timeout(_FULFILLED_WITHIN_S):
        while ticket.status != "fulfilled":
            await asyncio.sleep(1)
            await world.customers.page(ticket)


async def _payment(world: World, ticket: Ticket) -> str:
    payment = await world.customers.payment_of(ticket)
    if payment is None:
        raise NotPaid(ticket.id)
    return payment


async def _simulate(world: World, payment_id: str, what: str, **body: str) -> None:
    url = world.url("nowpayments-simulator", f"/_simulator/payments/{payment_id}/{what}")
    (await world.http.post(url, json=body)).raise_for_status()


async def _notices(world: World, ticket: Ticket) -> set[str]:
    """The states that notifications of an order told, of those that payments took."""
    url = world.url("payments", "/admin/payments")
    headers = {"Authorization": f"Bearer {world.stack['ADMIN_TOKEN']}"}
    answer = await world.http.get(url, params={"order_id": ticket.id}, headers=headers)
    rows = answer.raise_for_status().json()["items"]
    return {row["status"] for row in rows if row["kind"] == "ipn"}


async def _post(world: World, body: bytes, signature: str, expected: int) -> None:
    headers = {"x-nowpayments-sig": signature, "Content-Type": "application/json"}
    url = world.url("payments", "/webhooks/nowpayments")
    answer = await world.http.post(url, content=body, headers=headers)
    if answer.status_code != expected:
        raise NotRefused(f"answered {answer.status_code}, not {expected}: {answer.text[:200]}")
