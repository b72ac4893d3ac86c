"""`bitloot import-products`: send a CSV file of products to orders, in chunks.

orders decides about each row; this command reads the file, shows the progress and adds up the
answers. Rows that were refused are listed with their line in the file, and make the exit code 1.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bitloot_cli.failure import fail

CHUNK_ROWS = 500
_TIMEOUT_S = 60.0
_SHOWN_REJECTIONS = 20


@dataclass
class ImportResult:
    """What orders did with the rows; lines count from 1, the header included."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)

    def add(self, answer: dict[str, Any], chunk: "Chunk") -> None:
        """Take in the answer to one chunk."""
        self.created += answer["created"]
        self.updated += answer["updated"]
        self.unchanged += answer["unchanged"]
        for row in answer["rejected"]:
            self.rejected.append((chunk.line_in_file(row["line"]), row["reason"]))


@dataclass(frozen=True)
class Chunk:
    """A part of the file with the header repeated; `lines` are the rows' lines in the file."""

    text: str
    lines: list[int]

    def line_in_file(self, line: int) -> int:
        """The file's line of the chunk's `line` (1 is the header)."""
        index = line - 2
        return self.lines[index] if 0 <= index < len(self.lines) else line


class BrokenCsv(Exception):
    """The file cannot be read as CSV with a header; nothing of it was sent."""


def read_chunks(path: Path, rows: int = CHUNK_ROWS) -> list[Chunk]:
    """Read the whole file before anything is sent.

    Raises:
        BrokenCsv: no UTF-8, no header, or quotes that do not close.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        header, found = _parse(text)
    except UnicodeDecodeError as error:
        raise BrokenCsv(f"is not UTF-8 text (byte {error.start})") from error
    except csv.Error as error:
        raise BrokenCsv(f"is not CSV: {error}") from error
    return [_chunk(header, found[at : at + rows]) for at in range(0, len(found), rows)]


Row = tuple[int, list[str]]


def _parse(text: str) -> tuple[list[str], list[Row]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = next(reader, None)
    if not header:
        raise BrokenCsv("is empty: the first line must name the columns")
    return header, list(_rows(reader))


def _rows(reader: Any) -> Iterator[Row]:
    start = reader.line_num + 1
    for fields in reader:
        if fields:
            yield start, fields
        start = reader.line_num + 1


def _chunk(header: list[str], rows: list[Row]) -> Chunk:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(header)
    # orders counts lines, so a line break inside a field would shift them.
    writer.writerows(
        [field.replace("\r", " ").replace("\n", " ") for field in row] for _, row in rows
    )
    return Chunk(buffer.getvalue(), [line for line, _ in rows])


def send(client: httpx.Client, chunks: list[Chunk], progress: Progress) -> ImportResult:
    """Send the chunks one after the other.

    Raises:
        httpx.HTTPError: orders does not answer, or refuses a chunk as a whole.
    """
    result = ImportResult()
    task = progress.add_task("importing", total=sum(len(chunk.lines) for chunk in chunks))
    for chunk in chunks:
        answer = client.post(
            "/admin/products/import",
            content=chunk.text.encode(),
            headers={"Content-Type": "text/csv; charset=utf-8"},
        )
        result.add(answer.raise_for_status().json(), chunk)
        progress.advance(task, len(chunk.lines))
    return result


def import_products(
    file: Annotated[Path, typer.Argument(help="CSV with a header line, UTF-8.")],
    orders_url: Annotated[str, typer.Option(envvar="ORDERS_URL", help="Where orders answers.")],
    token: Annotated[
        str, typer.Option(envvar="ADMIN_TOKEN", help="An admin token; see `bitloot admin-token`.")
    ],
) -> None:
    """Create or update the products of a CSV file; exit code 1 if a row was refused."""
    try:
        chunks = read_chunks(file)
    except BrokenCsv as error:
        fail(f"{file} {error}; nothing was imported")
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")
    _report(_send_all(orders_url, token, chunks))


def _send_all(orders_url: str, token: str, chunks: list[Chunk]) -> ImportResult:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with (
            httpx.Client(base_url=orders_url, headers=headers, timeout=_TIMEOUT_S) as client,
            Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress,
        ):
            return send(client, chunks, progress)
    except httpx.HTTPStatusError as error:
        fail(f"orders refused the import: {_reason(error.response)}")
    except (httpx.TransportError, httpx.InvalidURL) as error:
        fail(f"orders does not answer at {orders_url}: {error}; is the address right?")


def _reason(answer: httpx.Response) -> str:
    meaning = {401: "the token is missing or expired", 403: "the token may not do that"}
    if answer.status_code in meaning:
        return f"{meaning[answer.status_code]} (`bitloot admin-token` makes one)"
    try:
        return f"{answer.status_code} {answer.json().get('detail', '')}".strip()
    except ValueError:
        return f"{answer.status_code} {answer.reason_phrase}"


def _report(result: ImportResult) -> None:
    typer.echo(
        f"created {result.created}, updated {result.updated}, "
        f"unchanged {result.unchanged}, rejected {len(result.rejected)}"
    )
    for line, reason in result.rejected[:_SHOWN_REJECTIONS]:
        typer.secho(f"  line {line}: {reason}", err=True)
    hidden = len(result.rejected) - _SHOWN_REJECTIONS
    if hidden > 0:
        typer.secho(f"  and {hidden} more", err=True)
    if result.rejected:
        raise typer.Exit(1)
