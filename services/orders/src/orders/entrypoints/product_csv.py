"""Read a CSV file of products: each line stands for itself, errors name the line."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Final
from uuid import UUID

from contracts import SourceType
from foundation.clock import new_id
from pydantic import ValidationError
from webkit.problems import Problem

from orders.domain.catalogue import Product
from orders.entrypoints.schemas import NewProduct, RejectedLine
from orders.errors import CannotPlace
from orders.handlers.manage_products import check_source

MAX_ROWS: Final = 5_000
REQUIRED: Final = frozenset({"title", "retail_price"})
COLUMNS: Final = REQUIRED | {
    "id",
    "currency",
    "cost_usd",
    "status",
    "source_type",
    "kinguin_product_id",
    "kinguin_offer_id",
    "backorder",
}


class CsvProduct(NewProduct):
    """A row after its price and currency were put together."""

    id: UUID | None = None


def read_products(body: bytes) -> tuple[list[Product], list[RejectedLine]]:
    """The products of a file, and the lines that are none.

    Raises:
        Problem: 422, the file itself is not CSV of products in UTF-8.
    """
    products: list[Product] = []
    rejected: list[RejectedLine] = []
    for line, row in _rows(body):
        try:
            products.append(_product(row))
        except (ValidationError, CannotPlace, ValueError) as error:
            rejected.append(RejectedLine(line=line, reason=_reason(error)))
    return products, rejected


def _rows(body: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(422, "Unreadable file", "The file is not UTF-8 text.") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_header(reader.fieldnames or ())
        for number, row in enumerate(reader):
            if number >= MAX_ROWS:
                raise Problem(413, detail=f"At most {MAX_ROWS} rows at once: split the file.")
            yield reader.line_num, row
    except csv.Error as error:
        where = f"The CSV is broken at line {reader.line_num}: {error}."
        raise Problem(422, "Unreadable file", where) from error


def _check_header(names: object) -> None:
    given = set(names) if isinstance(names, list) else set()
    if missing := REQUIRED - given:
        wanted = ", ".join(sorted(missing))
        raise Problem(422, "Unreadable file", f"The first line lacks the columns: {wanted}.")
    if given - COLUMNS:
        known = ", ".join(sorted(COLUMNS))
        raise Problem(422, "Unreadable file", f"Unknown columns; known are: {known}.")


def _product(row: dict[str, str]) -> Product:
    if None in row or None in row.values():
        raise ValueError("has more or fewer fields than the first line")
    fields: dict[str, object] = {
        name: value.strip() for name, value in row.items() if value.strip()
    }
    price = {"amount": fields.pop("retail_price", ""), "currency": fields.pop("currency", "USD")}
    parsed = CsvProduct.model_validate({**fields, "retail_price": price})
    return check_source(as_product(parsed, parsed.id))


def as_product(fields: NewProduct, product_id: UUID | None = None) -> Product:
    """A product from the fields an admin gave; with a fresh id where none is given."""
    return Product(
        id=product_id or new_id(),
        title=fields.title,
        retail_price=Decimal(fields.retail_price.amount),
        currency=fields.retail_price.currency,
        cost_usd=Decimal(fields.cost_usd) if fields.cost_usd is not None else None,
        status=fields.status,
        source_type=SourceType(fields.source_type),
        kinguin_product_id=fields.kinguin_product_id,
        kinguin_offer_id=fields.kinguin_offer_id,
        backorder=fields.backorder,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(error, CannotPlace):
        return f"{error.field} {error.reason}"
    return str(error)
