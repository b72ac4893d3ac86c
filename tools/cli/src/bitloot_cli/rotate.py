"""`bitloot rotate-kek` and `rotate-hpke`: bring every stored secret under the current key.

Run after the new key was put first in its ring and the services were restarted with it. Selling
goes on meanwhile: rows are locked for a moment each. Stopping and starting again is safe, for
only rows under another key are taken. What cannot be opened stays as it is and is named at the end.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final

import sqlalchemy as sa
import typer
from contracts import Sealed
from delivery.adapters.key_cipher import context_of_ids
from delivery.adapters.ring_key_provider import RingKeyProvider
from delivery.errors import CannotDecrypt
from delivery.ports import WrappedKey
from foundation.sealing import CannotOpen, KeyRing, UnknownRecipientKey, seal
from foundation.settings import SecretRing
from persistence.database import Database, Transaction
from persistence.operator_log import log_operation
from rich.progress import Progress

from bitloot_cli.caller import caller
from bitloot_cli.databases import Databases, on_databases
from bitloot_cli.environment import read_environment
from bitloot_cli.failure import fail

_BATCH: Final = 200
_MOST_UNREADABLE: Final = 100
"""More are no odd rows: the ring lacks a key."""

EnvFile = Annotated[Path | None, typer.Option(help="NAME=value lines, for example .env.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count.")]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column whose JSON holds sealed values, one or many."""

    service: str
    table: str
    column: str
    only: str = "true"
    identity: str = "id"


SEALED_COLUMNS: Final = (
    SealedColumn("fulfillment-custom", "stock_keys", "sealed"),
    SealedColumn("fulfillment-custom", "lines", "buyer"),
    SealedColumn("fulfillment-kinguin", "purchase_keys", "sealed"),
    SealedColumn("fulfillment-kinguin", "lines", "buyer"),
    SealedColumn("delivery", "deliveries", "buyer"),
    SealedColumn("delivery", "deliveries", "sealed_keys", "sealed_keys IS NOT NULL"),
    SealedColumn("delivery", "mails", "recipient"),
    SealedColumn("delivery", "mails", "body", "body IS NOT NULL"),
    SealedColumn("delivery", "disputed_keys", "keys", identity="message_id"),
)
"""Everything that is sealed for delivery and kept in a database."""


def rotate_kek(env_file: EnvFile = None, dry_run: DryRun = False) -> None:
    """Wrap every delivery's data key under the first key of KEKS (needs DELIVERY_DATABASE_URL)."""
    variables = read_environment(env_file)
    ring = SecretRing.parse(_needed(variables, "KEKS"))

    async def work(databases: Databases, progress: Progress) -> _Rotation:
        column = SealedColumn("delivery", "deliveries", "kek_id")
        stale = f"kek_id IS NOT NULL AND kek_id <> '{ring.current_id}'"
        rotation = _Rotation(progress, is_dry=dry_run)
        rewrap = _rewrap(RingKeyProvider(ring), ring.current_id)
        await _rotate(databases["delivery"], column, stale, rewrap, rotation)
        return rotation

    _say(_run(variables, ["delivery"], work), f"wrapped under {ring.current_id}")


def rotate_hpke(env_file: EnvFile = None, dry_run: DryRun = False) -> None:
    """Seal stock and addresses for the first key of HPKE_PRIVATE_KEYS.

    Needs the database URLs of fulfillment-custom, fulfillment-kinguin and delivery. Messages on
    Kafka stay sealed for the old key: keep it in the ring for the 7 days that topics last.
    """
    variables = read_environment(env_file)
    ring = KeyRing.parse(_needed(variables, "HPKE_PRIVATE_KEYS"))

    async def work(databases: Databases, progress: Progress) -> _Rotation:
        rotation = _Rotation(progress, is_dry=dry_run)
        for column in SEALED_COLUMNS:
            stale, reseal = _sealed_for_others(column, ring.current_id), _reseal(column, ring)
            await _rotate(databases[column.service], column, stale, reseal, rotation)
        return rotation

    services = dict.fromkeys(column.service for column in SEALED_COLUMNS)
    _say(_run(variables, services, work), f"sealed for {ring.current_id}")


Change = Callable[[Transaction, sa.Row[Any]], Awaitable[None]]


@dataclass
class _Rotation:
    """A run of the command: how many rows were done, and which nobody can open, with the reason."""

    progress: Progress
    is_dry: bool
    done: int = 0
    unreadable: list[str] = field(default_factory=list)


async def _rotate(
    database: Database, column: SealedColumn, stale: str, change: Change, rotation: _Rotation
) -> None:
    condition = f"{column.only} AND {stale}"
    async with database.transaction() as transaction:
        counted = f"SELECT count(*) FROM {column.table} WHERE {condition}"  # noqa: S608  constants
        total = int(await transaction.scalar(sa.text(counted)) or 0)
    name = f"{column.service} {column.table}.{column.column}"
    task = rotation.progress.add_task(name, total=total)
    if rotation.is_dry:
        rotation.done += total
        return
    rows = _StaleRows(column, condition)
    while changed := await rows.change_some(database, change):
        rotation.progress.update(task, advance=changed)
    rotation.done += rows.done
    rotation.unreadable += [f"{name} {row_id}: {why}" for row_id, why in rows.unreadable.items()]
    if rows.done:
        await _log(database, column, rows.done)


@dataclass
class _StaleRows:
    """The rows of a column that are under another key, those left out that cannot be opened."""

    column: SealedColumn
    condition: str
    done: int = 0
    unreadable: dict[Any, str] = field(default_factory=dict)

    async def change_some(self, database: Database, change: Change) -> int:
        """Change a batch in one transaction; how many rows were looked at.

        Raises:
            CannotDecrypt, CannotOpen, UnknownRecipientKey: too many rows cannot be opened.
        """
        async with database.transaction() as transaction:
            rows = (await transaction.execute(self._query(), {"skipped": [*self.unreadable]})).all()
            before = len(self.unreadable)
            for row in rows:
                await self._change_one(transaction, row, change)
        self.done += len(rows) - (len(self.unreadable) - before)
        return len(rows)

    async def _change_one(self, transaction: Transaction, row: sa.Row[Any], change: Change) -> None:
        try:
            await change(transaction, row)  # opens before it writes anything
        except (CannotDecrypt, CannotOpen, UnknownRecipientKey) as error:
            if len(self.unreadable) >= _MOST_UNREADABLE:
                raise
            self.unreadable[row._mapping[self.column.identity]] = str(error)  # noqa: SLF001  public

    def _query(self) -> sa.TextClause:
        # Waits for rows in use: one that was passed over would be unreadable without the old key.
        return sa.text(
            f"SELECT * FROM {self.column.table} WHERE {self.condition}"  # noqa: S608  constants
            f" AND {self.column.identity} <> ALL(CAST(:skipped AS uuid[]))"
            f" LIMIT {_BATCH} FOR UPDATE"
        )


def _rewrap(provider: RingKeyProvider, current_id: str) -> Change:
    async def change(transaction: Transaction, row: sa.Row[Any]) -> None:
        context = context_of_ids(order=row.order_id, line=row.line_id, delivery=row.id)
        key = await provider.unwrap(WrappedKey(row.kek_id, row.wrapped_key), context)
        wrapped = await provider.wrap(key, context)
        await transaction.execute(
            sa.text("UPDATE deliveries SET kek_id = :kek_id, wrapped_key = :blob WHERE id = :id"),
            {"kek_id": current_id, "blob": wrapped.blob, "id": row.id},
        )

    return change


def _reseal(column: SealedColumn, ring: KeyRing) -> Change:
    update = sa.text(
        f"UPDATE {column.table} SET {column.column} = CAST(:value AS jsonb)"  # noqa: S608  constants
        f" WHERE {column.identity} = :id"
    )

    async def change(transaction: Transaction, row: sa.Row[Any]) -> None:
        fields = row._mapping  # noqa: SLF001  public: a column may be called as a method is
        value = fields[column.column]
        stored = json.loads(value) if isinstance(value, str) else value
        changed = {"value": json.dumps(_resealed(stored, ring)), "id": fields[column.identity]}
        await transaction.execute(update, changed)

    return change


def _resealed(value: Any, ring: KeyRing) -> Any:
    """The same JSON with every sealed value in it sealed anew, bound to the same words."""
    if isinstance(value, list):
        return [_resealed(inner, ring) for inner in value]
    if not isinstance(value, dict):
        return value
    if "recipient_key_id" not in value:
        return {name: _resealed(inner, ring) for name, inner in value.items()}
    sealed = Sealed.model_validate(value)
    plaintext = ring.open(sealed, *sealed.info)
    return seal(ring.public_key, plaintext, *sealed.info).model_dump(mode="json")


def _sealed_for_others(column: SealedColumn, current_id: str) -> str:
    path = '$.**.recipient_key_id ? (@ != "' + current_id + '")'
    return f"jsonb_path_exists({column.column}, '{path}')"


def _run(
    variables: Mapping[str, str],
    services: Iterable[str],
    work: Callable[[Databases, Progress], Awaitable[_Rotation]],
) -> _Rotation:
    try:
        with Progress(transient=True) as progress:
            return on_databases(variables, services, lambda found: work(found, progress))
    except (CannotDecrypt, CannotOpen, UnknownRecipientKey) as error:
        fail(f"{error}; what was done before stays done: mend the ring and run it again")


async def _log(database: Database, column: SealedColumn, done: int) -> None:
    async with database.transaction() as transaction:
        await log_operation(
            transaction,
            actor=caller(),
            action="keys.rotated",
            subject=f"{column.table}.{column.column}",
            reason=None,
            facts={"rows": done},
        )


def _needed(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name)
    if not value:
        fail(f"set {name}, or name a file that does with --env-file")
    return value


def _say(rotation: _Rotation, what: str) -> None:
    """Say what was done.

    Raises:
        typer.Exit: with code 1, some rows need their old key.
    """
    if not rotation.unreadable:
        typer.echo(f"{rotation.done} rows {'would be ' if rotation.is_dry else ''}{what}")
        return
    for line in rotation.unreadable:
        typer.echo(f"cannot be opened: {line}", err=True)
    # Nothing here may read like the end, after which the old key is thrown away.
    fail(
        f"{rotation.done} are {what}, but {len(rotation.unreadable)} stay under their old key: "
        "mend the ring and run it again, or settle their orders by hand"
    )
