"""`bitloot dead-letters`: messages that a service could not handle, seen and decided on.

Reads and changes the database that `<SERVICE>_DATABASE_URL` names; what is changed stands in
its `operator_log`. Bodies are shown with everything sealed or secret left out.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

import sqlalchemy as sa
import typer
from foundation.logging import mask_secrets
from persistence.database import Transaction
from persistence.operator_log import log_operation
from persistence.tables import dead_letters
from rich.console import Console
from rich.table import Table
from servicekit.dead_letters import REDELIVER, reopen
from servicekit.dead_letters import discard as discard_letter
from servicekit.jobs import is_due

from bitloot_cli.caller import caller
from bitloot_cli.databases import Databases, on_databases
from bitloot_cli.environment import read_environment
from bitloot_cli.failure import fail

T = TypeVar("T")

app = typer.Typer(help="Messages that could not be handled.", no_args_is_help=True)

SERVICES: Final = ("payments", "orders", "fulfillment-custom", "fulfillment-kinguin", "delivery")
_HIDDEN: Final = frozenset({"ciphertext", "sealed", "buyer", "recipient", "keys", "body", "email"})
_AT_ONCE: Final = 500

Service = Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]
EnvFile = Annotated[Path | None, typer.Option(help="NAME=value lines, as .stack/stack.env.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Ids = Annotated[list[UUID], typer.Argument(help="Ids as `list` shows them.")]


@app.command("list")
def list_letters(
    service: Service,
    topic: Annotated[str | None, typer.Option(help="Only of this topic.")] = None,
    env_file: EnvFile = None,
) -> None:
    """The letters of a service, oldest first, at most 500."""

    async def work(transaction: Transaction) -> tuple[int, Sequence[sa.Row[Any]]]:
        number = sa.select(sa.func.count()).select_from(_query(None, topic).subquery())
        return await transaction.scalar(number) or 0, await _find(transaction, topic=topic)

    total, rows = _on(service, env_file, work)
    table = Table("id", "topic", "partition:offset", "parked", "state", "error")
    for row in rows:
        state = "given up" if row.given_up_at else "tried again"
        place = f"{row.partition}:{row.kafka_offset}"
        error = mask_secrets(row.error)
        table.add_row(str(row.id), row.topic, place, f"{row.parked_at:%F %T}", state, error)
    Console().print(table)
    shown = f"{len(rows)} of {total}" if len(rows) < total else f"{total}"
    typer.echo(f"{shown} dead letters in {service}")


@app.command()
def show(service: Service, letter: UUID, env_file: EnvFile = None) -> None:
    """One letter with its headers and its body, everything sealed or secret left out."""
    rows = _on(service, env_file, lambda transaction: _find(transaction, ids=[letter]))
    if not rows:
        fail(f"{service} has no dead letter {letter}: it was delivered or discarded")
    typer.echo(mask_secrets(json.dumps(_facts(rows[0]), indent=2)))


@app.command()
def retry(
    service: Service,
    letters: Annotated[list[UUID] | None, typer.Argument(help="Ids; none with --topic.")] = None,
    topic: Annotated[str | None, typer.Option(help="All letters of this topic.")] = None,
    dry_run: DryRun = False,
    env_file: EnvFile = None,
) -> None:
    """Try letters again from the start. Safe: what had its effect has none again."""
    if bool(letters) == bool(topic):
        fail("name the letters, or all of one topic with --topic", code=2)

    async def work(transaction: Transaction) -> int:
        number = 0
        async for row in _locked(transaction, ids=letters, topic=topic):
            if await _is_tried_now(transaction, row):
                continue
            number += 1
            if not dry_run:
                await reopen(transaction, row.id, datetime.now(UTC))
                await _log(transaction, "dead_letter.retried", row, None)
        return number

    _say(_on(service, env_file, work), len(letters or ()), "tried again", dry_run=dry_run)


@app.command()
def discard(
    service: Service,
    letters: Ids,
    reason: Annotated[str, typer.Option(help="Why nothing is lost; stays on record.")],
    dry_run: DryRun = False,
    env_file: EnvFile = None,
) -> None:
    """Delete letters for good; what they were stays in the operator log."""
    if not reason.strip():
        fail("say why nothing is lost: --reason", code=2)

    async def work(transaction: Transaction) -> int:
        number = 0
        async for row in _locked(transaction, ids=letters):
            number += 1
            if not dry_run:
                await _log(transaction, "dead_letter.discarded", row, reason)
                await discard_letter(transaction, row.id)
        return number

    _say(_on(service, env_file, work), len(letters), "discarded", dry_run=dry_run)


def _say(number: int, asked: int, done: str, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    typer.echo(f"{number} dead letters {would}{done}")
    if number < asked:
        left = asked - number
        fail(f"{left} are being tried already, or gone: delivered, discarded, or never there")


def _on(service: str, env_file: Path | None, work: Callable[[Transaction], Awaitable[T]]) -> T:
    if service not in SERVICES:
        fail(f"{service} is no service with dead letters: {', '.join(SERVICES)}", code=2)

    async def in_transaction(databases: Databases) -> T:
        async with databases[service].transaction() as transaction:
            return await work(transaction)

    return on_databases(read_environment(env_file), [service], in_transaction)


async def _find(
    transaction: Transaction, *, ids: Sequence[UUID] | None = None, topic: str | None = None
) -> Sequence[sa.Row[Any]]:
    return await _rows(transaction, _query(ids, topic).limit(_AT_ONCE))


async def _locked(
    transaction: Transaction, *, ids: Sequence[UUID] | None = None, topic: str | None = None
) -> AsyncIterator[sa.Row[Any]]:
    """All of them, for who changes them: of two people at once the second finds what is left."""
    query = _query(ids, topic).limit(_AT_ONCE).with_for_update()
    rows = await _rows(transaction, query)
    while rows:
        for row in rows:
            yield row
        last = sa.tuple_(sa.literal(rows[-1].parked_at), sa.literal(rows[-1].id))
        place = sa.tuple_(dead_letters.c.parked_at, dead_letters.c.id)
        rows = await _rows(transaction, query.where(place > last))


async def _rows(transaction: Transaction, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
    found: Sequence[sa.Row[Any]] = (await transaction.execute(query)).all()
    return found


async def _is_tried_now(transaction: Transaction, row: sa.Row[Any]) -> bool:
    return row.given_up_at is None and await is_due(
        transaction, REDELIVER, row.id, datetime.now(UTC)
    )


def _query(ids: Sequence[UUID] | None, topic: str | None) -> sa.Select[Any]:
    query = sa.select(dead_letters).order_by(dead_letters.c.parked_at, dead_letters.c.id)
    if ids:
        query = query.where(dead_letters.c.id.in_(ids))
    if topic:
        query = query.where(dead_letters.c.topic == topic)
    return query


async def _log(transaction: Transaction, action: str, row: sa.Row[Any], reason: str | None) -> None:
    await log_operation(
        transaction,
        actor=caller(),
        action=action,
        subject=row.id,
        reason=reason,
        facts=_facts(row),
    )


def _facts(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "topic": row.topic,
        "partition": row.partition,
        "offset": row.kafka_offset,
        "key": mask_secrets((row.key or b"").decode(errors="replace")),
        "headers": row.headers,
        "error": mask_secrets(row.error),
        "parked_at": row.parked_at.isoformat(),
        "given_up_at": row.given_up_at.isoformat() if row.given_up_at else None,
        "body": _readable(row.body or b""),
    }


def _readable(body: bytes) -> Any:
    """The JSON without what may be secret; what is no JSON may be anything, so only its size."""
    try:
        return _redacted(json.loads(body))
    except ValueError:
        return f"{len(body)} bytes that are no JSON"


def _redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: "***" if name in _HIDDEN else _redacted(inner) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_redacted(inner) for inner in value]
    return mask_secrets(value) if isinstance(value, str) else value
