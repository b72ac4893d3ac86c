import json
from pathlib import Path
from typing import Any

import pytest
from nowpayments_simulator.js_json import (
    arrays_as_objects,
    canonical_text,
    number_text,
    signature,
    stringify,
)

VECTORS = json.loads((Path(__file__).parent / "data/signature_vectors.json").read_text("utf-8"))
WITH_ARRAYS = [vector for vector in VECTORS if "signature_arrays_as_objects" in vector]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_published_vector_has_its_signature(vector: dict[str, Any]) -> None:
    text = canonical_text(json.loads(vector["body"]))

    assert signature(text, vector["secret"]) == vector["signature"]
    assert text == vector.get("text", text)


@pytest.mark.parametrize("vector", WITH_ARRAYS, ids=lambda vector: vector["id"])
def test_arrays_as_objects_have_the_other_signature(vector: dict[str, Any]) -> None:
    text = canonical_text(arrays_as_objects(json.loads(vector["body"])))

    assert signature(text, vector["secret"]) == vector["signature_arrays_as_objects"]
    assert text == vector.get("text_arrays_as_objects", text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (20.0, "20"),
        (1.50, "1.5"),
        (-0.0, "0"),
        (-1.25, "-1.25"),
        (0.000083, "0.000083"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (123e18, "123000000000000000000"),
        (1e21, "1e+21"),
        (1.25e22, "1.25e+22"),
        (5e-324, "5e-324"),
        (0.1 + 0.2, "0.30000000000000004"),
        (float("inf"), "null"),
    ],
)
def test_numbers_print_as_javascript_does(number: float, text: str) -> None:
    assert number_text(number) == text


def test_integers_beyond_a_double_lose_what_javascript_loses() -> None:
    assert stringify(2**53 + 1) == "9007199254740992"


def test_text_is_raw_except_quotes_backslash_and_control_characters() -> None:
    text = stringify('é/\u2028<b>"\\\n\x01\x7f\ud800')

    assert text == '"é/\u2028<b>\\"\\\\\\n\\u0001\x7f\\ud800"'


def test_keys_sort_by_utf16_units_and_array_indexes_come_first() -> None:
    body = {"\uffff": 1, "\U0001f600": 2, "b": 3, "B": 4, "10": 5, "9": 6, "09": 7}

    assert canonical_text(body) == ('{"9":6,"10":5,"09":7,"B":4,"b":3,"\U0001f600":2,"\uffff":1}')
