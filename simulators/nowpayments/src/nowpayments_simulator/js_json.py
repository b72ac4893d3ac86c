"""JSON text as JavaScript's `JSON.stringify` writes it, and its HMAC-SHA512.

NOWPayments signs this text, not Python's: numbers are doubles in ECMAScript's
`Number::toString` form, text is raw UTF-8, there are no spaces
(ECMA-262, sections 6.1.6.1.20 and 25.5.2).
"""

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

LARGEST_EXACT_INTEGER = 2**53
LARGEST_ARRAY_INDEX = 2**32 - 2
_SURROGATE = re.compile("[\ud800-\udfff]")


def number_text(value: float) -> str:
    """`value` as JavaScript prints it: 20, 1.5, 0.000002, 1e-7, 1e+21; not finite: null."""
    if not math.isfinite(value):
        return "null"
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    return sign + _positive(repr(abs(value)))


def _positive(shortest: str) -> str:
    digits, point = _digits_and_point(shortest)
    count = len(digits)
    if count <= point <= 21:  # noqa: PLR2004 - the limits of Number::toString
        return digits + "0" * (point - count)
    if 0 < point <= 21:  # noqa: PLR2004 - as above
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:  # noqa: PLR2004 - as above
        return "0." + "0" * -point + digits
    mantissa = digits[0] + ("." + digits[1:] if count > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def _digits_and_point(shortest: str) -> tuple[str, int]:
    mantissa, _, exponent = shortest.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    point = len(whole) + int(exponent or 0)
    leading = len(digits) - len(digits.lstrip("0"))
    return digits.strip("0"), point - leading


def stringify(value: Any, *, sort_keys: bool = False) -> str:
    """`value` as compact JSON; with `sort_keys` objects are sorted at each depth."""
    match value:
        case Mapping():
            pairs = sorted(value.items(), key=_key_order) if sort_keys else value.items()
            return "{" + ",".join(_pair(key, item, sort_keys) for key, item in pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(stringify(item, sort_keys=sort_keys) for item in value) + "]"
        case _:
            return _scalar(value)


def _pair(key: str, item: Any, sort_keys: bool) -> str:  # noqa: FBT001 - passes one setting down
    return f"{_string(key)}:{stringify(item, sort_keys=sort_keys)}"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() if abs(value) <= LARGEST_EXACT_INTEGER:
            return str(value)
        case int() | float() | Decimal():
            return number_text(float(value))
        case _:
            return _string(str(value))


def _string(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _key_order(pair: tuple[str, Any]) -> tuple[int, int, bytes]:
    # A JavaScript object lists array-index keys first, in numeric order, whatever was inserted
    # first; the others sort by UTF-16 code units.
    key = pair[0]
    canonical_number = key.isascii() and key.isdigit() and str(int(key)) == key
    if canonical_number and int(key) <= LARGEST_ARRAY_INDEX:
        return 0, int(key), b""
    return 1, 0, key.encode("utf-16-be", "surrogatepass")


def arrays_as_objects(value: Any) -> Any:
    """`[a, b]` as `{"0": a, "1": b}` at each depth, as one published Node sample signs it."""
    if isinstance(value, Mapping):
        return {key: arrays_as_objects(item) for key, item in value.items()}
    if isinstance(value, list):
        return {str(index): arrays_as_objects(item) for index, item in enumerate(value)}
    return value


def canonical_text(body: Mapping[str, Any]) -> str:
    """The text whose HMAC goes into `x-nowpayments-sig`."""
    return stringify(body, sort_keys=True)


def signature(text: str, secret: str) -> str:
    """HMAC-SHA512 of `text` in lower-case hex, 128 characters."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()
