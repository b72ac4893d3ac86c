"""The document that is encrypted gives back its keys and tells little by its size."""

import json

import pytest
from delivery.domain.document import BLOCK, pack, unpack
from foundation.sealing import GameKey
from hypothesis import given
from hypothesis import strategies as st

TEXTS = st.text(min_size=1, max_size=60).map(GameKey.from_text)
PICTURES = st.builds(
    GameKey, st.sampled_from(["image/png", "image/jpeg", "image/gif"]), st.binary(max_size=2_000)
)
KEYS = st.lists(TEXTS | PICTURES, min_size=1, max_size=9)


@given(KEYS)
def test_keys_come_back_in_their_order_byte_for_byte(keys: list[GameKey]) -> None:
    assert unpack(pack(keys)) == keys


@given(KEYS)
def test_same_keys_give_the_same_bytes_in_whole_blocks(keys: list[GameKey]) -> None:
    document = pack(keys)

    assert document == pack(keys)
    assert len(document) % BLOCK == 0


@given(st.lists(st.text("ABC0-", min_size=5, max_size=29), min_size=1, max_size=1))
def test_length_of_a_usual_key_does_not_show(texts: list[str]) -> None:
    assert len(pack([GameKey.from_text(text) for text in texts])) == BLOCK


@pytest.mark.parametrize("content", [{"version": 2, "keys": []}, {"keys": []}])
def test_document_of_another_version_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="another version"):
        unpack(json.dumps(content).encode())
