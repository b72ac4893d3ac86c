"""JSON as JavaScript reads and prints it: the text that NOWPayments signs.

Numbers are kept as they were written, so that amounts stay exact and the canonical text
can print them as a double. Rules: ECMA-262 (Number::toString, QuoteJSONString,
OrdinaryOwnPropertyKeys) and RFC 8259. Bodies come from outside and are read as hostile.
"""

import json
import re
from decimal import Decimal
from math import isinf
from typing import Final, NoReturn

MAX_DEPTH: Final = 10
MAX_NUMBER_CHARACTERS: Final = 100
"""No amount or id comes near it; a longer one only costs time."""

# A string that never ends runs to the end of the text, so that no character is read twice.
_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_ARRAY_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_MAX_ARRAY_INDEX: Final = 2**32 - 2
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
# Number::toString prints plain digits for 1e-6 <= |x| < 1e21.
_MOST_INTEGER_DIGITS: Final = 21
_MOST_LEADING_ZEROS: Final = 6


class NotJson(ValueError):
    """The bytes are not the JSON of a well-meaning sender; the text is not repeated."""


class JsNumber(str):
    """A number as it was written, for example `1.50` or `2E1`."""

    __slots__ = ()


JsonValue = None | bool | str | list["JsonValue"] | dict[str, "JsonValue"]
"""What `parse_json` makes; a number is a `JsNumber`, any other string is text."""


def parse_json(body: bytes) -> JsonValue:
    """Read UTF-8 JSON.

    Raises:
        NotJson: malformed, a key twice in one object, NaN or Infinity, nested deeper than
            `MAX_DEPTH`, or a number of more than `MAX_NUMBER_CHARACTERS`.
    """
    try:
        text = body.decode()
        _refuse_deep(text)
        document: JsonValue = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_object,
        )
    except ValueError as error:
        raise NotJson(f"not acceptable JSON ({type(error).__name__})") from None
    return document


def _refuse_deep(text: str) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise NotJson("nested too deep")


def _number(token: str) -> JsNumber:
    if len(token) > MAX_NUMBER_CHARACTERS:
        raise NotJson("a number is too long")
    return JsNumber(token)


def _refuse_constant(token: str) -> NoReturn:
    raise NotJson(f"{token} is no JSON")


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise NotJson("a key stands twice in one object")
    return fields


def canonical_text(value: JsonValue, *, arrays_as_objects: bool = False) -> str:
    """What `JSON.stringify` prints when the keys were sorted at each depth.

    With `arrays_as_objects` a list becomes `{"0": ..., "1": ...}`, as in one published sample.
    """
    match value:
        case list() if arrays_as_objects:
            by_index = {str(index): item for index, item in enumerate(value)}
            return canonical_text(by_index, arrays_as_objects=True)
        case list():
            return f"[{','.join(canonical_text(item) for item in value)}]"
        case dict():
            members = (
                f"{_quoted(key)}:{canonical_text(value[key], arrays_as_objects=arrays_as_objects)}"
                for key in sorted(value, key=_key_order)
            )
            return f"{{{','.join(members)}}}"
        case _:
            return _scalar(value)


def _scalar(value: bool | str | None) -> str:  # noqa: FBT001  a JSON value like any other
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case JsNumber():
            return number_text(value)
        case str():
            return _quoted(value)


def _key_order(key: str) -> tuple[int, int, bytes]:
    """Array indices first and by number, whatever their order was; then by UTF-16 unit."""
    if _ARRAY_INDEX.fullmatch(key) and int(key) <= _MAX_ARRAY_INDEX:
        return 0, int(key), b""
    return 1, 0, key.encode("utf-16-be", "surrogatepass")


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def number_text(token: str) -> str:
    """Print a number as JavaScript prints the double it stands for.

    Shortest digits that read back; plain for 1e-6 <= |x| < 1e21, else `1.5e-7`, `1e+21`;
    zero without a sign; what exceeds a double is `null`.
    """
    value = float(token)
    if isinf(value):
        return "null"
    if value == 0:
        return "0"
    shortest = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, shortest.digits))
    return ("-" if shortest.sign else "") + _placed(digits, len(digits) + int(shortest.exponent))


def _placed(digits: str, point: int) -> str:
    """Print 0.`digits` x 10^`point`."""
    count = len(digits)
    if count <= point <= _MOST_INTEGER_DIGITS:
        return digits + "0" * (point - count)
    if 0 < point <= _MOST_INTEGER_DIGITS:
        return f"{digits[:point]}.{digits[point:]}"
    if -_MOST_LEADING_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"
