"""`bitloot reconcile`: the gateway's payments, our books and Kinguin's orders, side by side.

What differs is looked at a second time, since news may be on its way. What differs still
becomes a row in payments' database, once, and stays until somebody settles it with a reason.
Needs the settings of payments and fulfillment-kinguin for their outside.
"""

import asyncio
import csv
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import UUID

import typer
from bitloot_verify.reconciliation import differences
from bitloot_verify.reconciliation.books import (
    Books,
    NotedSurplus,
    known_purchases,
    read_books,
)
from bitloot_verify.reconciliation.compare import (
    Difference,
    compare_orders,
    compare_payments,
    compare_purchases,
    compare_supplier_orders,
)
from bitloot_verify.reconciliation.outside import gateway_payments, supplier_orders
from foundation.clock import SystemClock
from fulfillment_kinguin.adapters.esa_client import EsaClient
from fulfillment_kinguin.adapters.kinguin_http import KinguinHttp, kinguin_client
from fulfillment_kinguin.adapters.sales_manager_client import SalesManagerClient
from fulfillment_kinguin.errors import SupplierError
from fulfillment_kinguin.ports import KeySupplier
from payments.adapters.nowpayments_client import NowPaymentsClient
from payments.adapters.nowpayments_http import NowPaymentsHttp, new_http_client
from payments.adapters.nowpayments_login import Login
from payments.errors import GatewayError
from payments.ports import PaymentGateway
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bitloot_cli.caller import caller
from bitloot_cli.databases import Databases, on_databases
from bitloot_cli.environment import read_environment
from bitloot_cli.failure import fail

app = typer.Typer(help="Differences between the outside's books and ours.")

_SERVICES: Final = ("payments", "orders", "fulfillment-kinguin")
_REQUESTS_PER_SECOND: Final = 2.0
"""Selling comes first: a share of what Kinguin allows."""
_INCOMPLETE: Final = 2

EnvFile = Annotated[Path | None, typer.Option(help="NAME=value lines, for example .env.")]


@dataclass
class Outcome:
    """What was found, which part could not be asked, and surpluses too little to send back."""

    found: list[Difference] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    noted: Sequence[NotedSurplus] = ()
    rows: differences.Noted = field(default_factory=lambda: differences.Noted(0, 0))


@app.callback(invoke_without_command=True)
def reconcile(
    context: typer.Context,
    days: Annotated[int, typer.Option(min=1, help="How many days back.")] = 3,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="Write the report here.")] = None,
    again_after: Annotated[
        int, typer.Option(min=0, help="Seconds until what differs is looked at again.")
    ] = 60,
    env_file: EnvFile = None,
) -> None:
    """Compare all books; exit code 1 with open differences, 2 when a part could not be asked."""
    if context.invoked_subcommand:
        return
    variables = read_environment(env_file)
    since = datetime.now(UTC) - timedelta(days=days)
    outcome = on_databases(
        variables, _SERVICES, lambda dbs: _reconcile(dbs, variables, since, again_after)
    )
    _print(outcome)
    if csv_file:
        _write_csv(csv_file, outcome)
    if outcome.missing:
        raise typer.Exit(_INCOMPLETE)
    raise typer.Exit(1 if outcome.rows.unsettled else 0)


@app.command("list")
def list_rows(env_file: EnvFile = None) -> None:
    """The differences that wait for somebody, oldest first."""

    async def work(databases: Databases) -> Sequence[Any]:
        async with databases["payments"].transaction() as transaction:
            return await differences.unsettled(transaction)

    rows = on_databases(read_environment(env_file), ["payments"], work)
    table = Table("id", "since", "kind", "about", "says", "amount")
    for row in rows:
        stake = f"{row.amount or ''} {row.currency or ''}".strip()
        seen = f"{row.first_seen_at:%F %T}"
        table.add_row(str(row.id), seen, row.kind, row.subject, row.says, stake)
    Console().print(table)
    typer.echo(f"{len(rows)} differences wait for somebody")


@app.command()
def settle(
    row: UUID,
    how: Annotated[str, typer.Option(help="What was done about it; stays on record.")],
    env_file: EnvFile = None,
) -> None:
    """Close one difference, with what was done about it."""
    if not how.strip():
        fail("say what was done about it: --how", code=2)

    async def work(databases: Databases) -> bool:
        async with databases["payments"].transaction() as transaction:
            now = datetime.now(UTC)
            return await differences.settle(transaction, row, actor=caller(), how=how, now=now)

    if not on_databases(read_environment(env_file), ["payments"], work):
        fail(f"no open difference {row}: it was settled, or never there")
    typer.echo("settled")


async def _reconcile(
    databases: Databases, variables: Mapping[str, str], since: datetime, again_after: int
) -> Outcome:
    outcome = await _look(databases, variables, since)
    if outcome.found and again_after:
        with Console(stderr=True).status(
            f"{len(outcome.found)} differences; looking again in {again_after} s, "
            "for news may be on its way"
        ):
            await asyncio.sleep(again_after)
        seen = {(difference.kind, difference.subject) for difference in outcome.found}
        outcome = await _look(databases, variables, since)
        outcome.found = [one for one in outcome.found if (one.kind, one.subject) in seen]
    async with databases["payments"].transaction() as transaction:
        now = datetime.now(UTC)
        outcome.rows = await differences.note(transaction, outcome.found, now)
    return outcome


async def _look(databases: Databases, variables: Mapping[str, str], since: datetime) -> Outcome:
    outcome = Outcome()
    books = await read_books(databases, since)
    outcome.noted = books.noted
    outcome.found.extend(compare_orders(list(books.payments.values()), books.orders))
    async with AsyncExitStack() as stack:
        await _ask_gateway(stack, variables, books, since, outcome)
        await _ask_supplier(stack, databases, variables, books, since, outcome)
    return outcome


async def _ask_gateway(
    stack: AsyncExitStack,
    variables: Mapping[str, str],
    books: Books,
    since: datetime,
    outcome: Outcome,
) -> None:
    try:
        gateway = await _gateway(stack, variables)
        found = await gateway_payments(gateway, since, books.payments.values())
    except (GatewayError, KeyError) as error:
        outcome.missing.append(f"the gateway's payments: {_why(error)}")
        return
    orders = {order.id: order for order in books.orders}
    outcome.found.extend(compare_payments(found, books.payments, orders))


async def _ask_supplier(
    stack: AsyncExitStack,
    databases: Databases,
    variables: Mapping[str, str],
    books: Books,
    since: datetime,
    outcome: Outcome,
) -> None:
    if not books.purchases and not variables.get("KINGUIN_API_KEY"):
        return  # a shop that sells its own stock only
    try:
        supplier = await _supplier(stack, variables)
        found = await supplier_orders(supplier, since, books.purchases)
    except (SupplierError, KeyError) as error:
        outcome.missing.append(f"Kinguin's orders: {_why(error)}")
        return
    known = await known_purchases(databases["fulfillment-kinguin"], found.values())
    outcome.found.extend(compare_purchases(books.purchases, found))
    outcome.found.extend(compare_supplier_orders(found, known))


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is not set"
    return str(error) or type(error).__name__


async def _gateway(stack: AsyncExitStack, variables: Mapping[str, str]) -> PaymentGateway:
    url = variables["NOWPAYMENTS_API_URL"]
    client = await stack.enter_async_context(new_http_client(use_proxies="127.0.0.1" not in url))
    http = NowPaymentsHttp(client, url, SecretStr(variables["NOWPAYMENTS_API_KEY"]))
    email = SecretStr(variables["NOWPAYMENTS_EMAIL"])
    password = SecretStr(variables["NOWPAYMENTS_PASSWORD"])
    return NowPaymentsClient(http, Login(http, email, password, SystemClock()))


async def _supplier(stack: AsyncExitStack, variables: Mapping[str, str]) -> KeySupplier:
    key = SecretStr(variables["KINGUIN_API_KEY"])
    client = await stack.enter_async_context(kinguin_client(variables["KINGUIN_API_URL"], key))
    http = KinguinHttp(client, SystemClock(), requests_per_second=_REQUESTS_PER_SECOND)
    is_esa = variables.get("KINGUIN_API", "esa") == "esa"
    return EsaClient(http) if is_esa else SalesManagerClient(http)


def _print(outcome: Outcome) -> None:
    table = Table("kind", "about", "says", "amount")
    for difference in outcome.found:
        stake = f"{difference.amount if difference.amount is not None else ''}"
        about = f"{stake} {difference.currency or ''}".strip()
        table.add_row(difference.kind.value, difference.subject, difference.says, about)
    if outcome.found:
        Console().print(table)
    _print_noted(outcome.noted)
    for part in outcome.missing:
        typer.secho(f"not reconciled: {part}", err=True, fg=typer.colors.RED)
    rows = outcome.rows
    settled = len(outcome.found) - rows.unsettled
    known = f", {settled} settled before" if settled else ""
    typer.echo(f"{len(outcome.found)} differences, {rows.new} of them new{known}")


def _print_noted(noted: Sequence[NotedSurplus]) -> None:
    """They are on record and wait for nobody."""
    if not noted:
        return
    table = Table("noted surplus of", "amount", "worth")
    for row in noted:
        amount = f"{row.amount:f} {row.currency or ''}".strip()
        table.add_row(f"payment {row.payment_id}", amount, f"{row.worth:f} {row.worth_currency}")
    Console().print(table)
    typer.echo(f"{len(noted)} surpluses noted, too little to send back")


def _write_csv(path: Path, outcome: Outcome) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["kind", "about", "says", "amount", "currency"])
        for noted in outcome.noted:
            says = f"too little to send back, worth {noted.worth:f} {noted.worth_currency}"
            about, amount = f"payment {noted.payment_id}", f"{noted.amount:f}"
            writer.writerow(["surplus_noted", about, says, amount, noted.currency or ""])
        for row in outcome.found:
            amount = "" if row.amount is None else f"{row.amount:f}"
            writer.writerow([row.kind.value, row.subject, row.says, amount, row.currency or ""])
