"""What of an upload is a key, and what is wrong with the rest."""

import csv
import io

import pytest
from fulfillment_custom.domain.upload import MAX_KEY_CHARACTERS, read_keys
from fulfillment_custom.entrypoints.http_stock import _lines
from hypothesis import given
from hypothesis import strategies as st
from webkit.problems import Problem

KEYS = st.text(
    st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=MAX_KEY_CHARACTERS
)
ANYTHING = st.lists(st.none() | st.text(max_size=40), max_size=30)


@given(ANYTHING)
def test_every_line_that_is_not_empty_is_a_key_or_a_fault(lines: list[str | None]) -> None:
    accepted, rejected = read_keys(lines)

    told = sorted([item.line for item in accepted] + [item.line for item in rejected])
    assert told == [n for n, text in enumerate(lines, 1) if text is None or text.strip()]


@given(ANYTHING)
def test_accepted_key_is_the_text_of_its_line_without_spaces_around(
    lines: list[str | None],
) -> None:
    accepted, _ = read_keys(lines)

    for item in accepted:
        text = lines[item.line - 1]
        assert text is not None
        assert item.key.text() == text.strip()
        assert item.key.text().isprintable()


@given(ANYTHING)
def test_reasons_never_repeat_what_was_uploaded(lines: list[str | None]) -> None:
    secret = [None if text is None else f"\x07{text}PLANTED" for text in lines]

    _, rejected = read_keys(secret)

    assert len(rejected) == len(lines)
    assert all("PLANTED" not in item.reason for item in rejected)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x" * MAX_KEY_CHARACTERS, None),
        ("x" * (MAX_KEY_CHARACTERS + 1), "is longer than 1000 characters"),
        ("AAAA\x00BBBB", "contains a character that cannot be printed"),
        ("AAAA\u200bBBBB", "contains a character that cannot be printed"),
        (None, "has more than one column"),
    ],
)
def test_line_at_the_edge_is_taken_or_named(text: str | None, reason: str | None) -> None:
    _, rejected = read_keys([text])

    assert [item.reason for item in rejected] == ([reason] if reason else [])


@given(st.lists(KEYS, max_size=20))
def test_keys_written_as_csv_are_read_back_whole(keys: list[str]) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["key"])
    writer.writerows([key] for key in keys)

    accepted, rejected = read_keys(_lines("text/csv; charset=utf-8", file.getvalue().encode()))

    assert ([item.key.text() for item in accepted], rejected) == (keys, [])


@given(st.lists(KEYS, max_size=20))
def test_text_with_the_mark_of_an_editor_and_any_line_end_is_read_back_whole(
    keys: list[str],
) -> None:
    body = b"\xef\xbb\xbf" + "\r\n".join(keys).encode()

    accepted, rejected = read_keys(_lines("text/plain", body))

    assert ([item.key.text() for item in accepted], rejected) == (keys, [])


@given(st.binary(max_size=60), st.sampled_from(["application/json", "text/csv", "text/plain"]))
def test_no_body_whatever_is_more_than_refused(body: bytes, content_type: str) -> None:
    try:
        lines = _lines(content_type, body)
    except Problem as problem:
        outcome = problem.status
    else:
        outcome = 200 if all(line is None or isinstance(line, str) for line in lines) else 500

    assert outcome in {200, 422}


def test_other_content_types_are_refused_with_the_ones_that_are_taken() -> None:
    with pytest.raises(Problem, match="text/csv") as refused:
        _lines("application/zip", b"")

    assert refused.value.status == 415
