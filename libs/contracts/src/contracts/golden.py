"""The committed JSON Schemas and sample messages: `python -m contracts.golden [--check]`.

Writing brings the schemas up to date and refuses an incompatible change. A sample is
written when a message is new and never again: what was once sent must stay readable.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from contracts import MESSAGES, Message, PaymentState, Refundable, testing
from contracts.compatibility import incompatibilities

FOLDER: Final = Path(__file__).parents[2]

SAMPLES: Final[tuple[Message, ...]] = (
    testing.a_payment_confirmed(),
    testing.a_fulfillment_requested_custom(),
    testing.a_fulfillment_requested_kinguin(),
    testing.a_key_ready(),
    testing.an_order_placed(),
    testing.an_order_cancelled(),
    testing.a_payment_updated(),
    testing.a_payment_accepted(),
    testing.a_stock_updated(),
    testing.a_stock_returned(),
    testing.a_fulfillment_updated(),
    testing.a_delivery_updated(),
    testing.a_rollout_changed(),
    testing.a_product_updated(),
    testing.an_offer_updated(),
    testing.an_email_requested(),
)

"""One for every message, in the order of `MESSAGES`."""

VARIANTS: Final[Mapping[str, Message]] = {
    "without-price": testing.a_payment_updated(
        state=PaymentState.NEEDS_ATTENTION, invoice_url=None, reason="dead letter: unreadable"
    ).model_copy(update={"price": None}),
    "refundable": testing.a_payment_updated(
        state=PaymentState.MORE_MONEY,
        payment_id="5745459999",
        reason="a further deposit to payment 5745459419",
        refundable=Refundable(amount=Decimal("19.36121163"), currency="xrp"),
    ),
    "not-final": testing.an_order_cancelled(reason="nothing was paid in time", final=False),
    "not-on-sale": testing.an_offer_updated(price=None, cost_usd=None, quantity=0),
    "paid": testing.an_order_cancelled(reason="asked for", paid=True),
    "reservation": testing.a_stock_updated(reservation=testing.a_reservation(held=False)),
}
"""Further forms of messages that are sent, by what is odd about them."""


def type_name(message_class: type[Message]) -> str:
    """The versioned name that stands in the message's field `type`."""
    return str(message_class.model_fields["type"].default)


def schema_text(message_class: type[Message]) -> str:
    """The JSON Schema of what is sent, as it is committed."""
    return _pretty(message_class.model_json_schema(mode="serialization"))


def _pretty(document: Any) -> str:
    return json.dumps(document, indent=1, sort_keys=True) + "\n"


def refusals(folder: Path) -> list[str]:
    """Incompatible changes of the models against the committed schemas, one line each."""
    lines: list[str] = []
    for message_class in MESSAGES:
        path = _schema_path(folder, message_class)
        if path.exists():
            old = json.loads(path.read_text())
            new = json.loads(schema_text(message_class))
            lines += [f"{type_name(message_class)}: {p}" for p in incompatibilities(old, new)]
    return lines


def pending(folder: Path) -> dict[Path, str]:
    """Files whose committed text is missing or out of date, with the text they should have."""
    schemas = {_schema_path(folder, m): schema_text(m) for m in MESSAGES}
    stale = {p: t for p, t in schemas.items() if not p.exists() or p.read_text() != t}
    named = [("", sample) for sample in SAMPLES]
    named += [(f".{name}", sample) for name, sample in VARIANTS.items()]
    samples = {
        folder / "samples" / f"{type_name(type(sample))}{suffix}.json": sample
        for suffix, sample in named
    }
    missing = {
        path: _pretty(sample.model_dump(mode="json"))
        for path, sample in samples.items()
        if not path.exists()
    }
    return stale | missing


def _schema_path(folder: Path, message_class: type[Message]) -> Path:
    return folder / "schemas" / f"{type_name(message_class)}.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check; 0 if all is well, 1 if something is refused or out of date."""
    parser = argparse.ArgumentParser(prog="python -m contracts.golden", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, help="folder of schemas/ and samples/ (%(default)s)"
    )
    options = parser.parse_args(arguments)
    if lines := refusals(options.folder):
        advice = "make a new version of the type, or delete a schema that was never released"
        sys.stderr.write("\n".join([*lines, f"refused: {advice}"]) + "\n")
        return 1
    return _check(options.folder) if options.check else _write(options.folder)


def _check(folder: Path) -> int:
    paths = sorted(pending(folder))
    for path in paths:
        sys.stderr.write(
            f"{path.relative_to(folder)} is out of date: run python -m contracts.golden\n"
        )
    return 1 if paths else 0


def _write(folder: Path) -> int:
    for path, text in sorted(pending(folder).items()):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"wrote {path.relative_to(folder)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
