import copy
import hashlib
import hmac
import json
import pickle
from uuid import UUID

import pytest
from contracts import Sealed, SealedKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from foundation.sealing import (
    CannotOpen,
    GameKey,
    KeyRing,
    PublicKey,
    UnknownRecipientKey,
    fingerprint,
    new_key_pair,
    new_ring,
    new_secret,
    open_address,
    open_game_key,
    seal,
    seal_address,
    seal_game_key,
)
from foundation.settings import SecretRing, decode_base64url, decode_key, encode_base64url
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes, TypeAdapter
from pydantic_core import PydanticSerializationError

PRIVATE = "5535048a:oD2MZykcsp1S4k2zeWjKXvCUFnppKwV_7RSUCpyMxEE"
PUBLIC = "5535048a:szG7pLHZ0q8nRU-N764Bg-MwHPzkvBIep1qBkzo0QGU"
RING = KeyRing.parse(PRIVATE)
PUBLIC_KEY = PublicKey.parse(PUBLIC)
AN_ID = UUID("01930000-0000-7000-8000-000000000001")
OTHER_ID = UUID("01930000-0000-7000-8000-000000000002")
PLAIN = "AAAAA-BBBBB-CCCCC"
PEPPER = SecretBytes(bytes(range(32)))


def a_sealed_game_key(key: GameKey, *, source: str = "custom") -> SealedKey:
    return SealedKey(
        key_id=AN_ID,
        fingerprint=fingerprint(PEPPER, key),
        media_type=key.media_type,
        sealed=seal_game_key(PUBLIC_KEY, key, source=source, key_id=AN_ID),
    )


def test_what_was_sealed_by_an_earlier_release_still_opens() -> None:
    ciphertext = (
        "ptN11J2vzGBUJRNBKKupmruWhH7nj7TJejhAzKBx5ABAOd0x6nkQl-TME4wzhqPX3LV_e8cYZ3hYawqEfWYew6E"
    )
    info = ("bitloot.game-key", "1", "text/plain", "custom", str(AN_ID))
    sealed = Sealed(recipient_key_id="5535048a", info=info, ciphertext=ciphertext)

    assert RING.open(sealed, *info) == PLAIN.encode()


def rfc9180_open(private_raw: bytes, enc_and_ciphertext: bytes, info: bytes) -> bytes:
    """HPKE base mode, written from RFC 9180 sections 4 to 5 on other primitives."""
    suite_kem = b"KEM" + (0x0020).to_bytes(2)
    suite = b"HPKE" + b"".join(n.to_bytes(2) for n in (0x0020, 0x0001, 0x0002))

    def extract(salt: bytes, label: bytes, material: bytes, suite_id: bytes) -> bytes:
        labeled = b"HPKE-v1" + suite_id + label + material
        return hmac.new(salt or bytes(32), labeled, hashlib.sha256).digest()

    def expand(key: bytes, label: bytes, context: bytes, length: int, suite_id: bytes) -> bytes:
        labeled = length.to_bytes(2) + b"HPKE-v1" + suite_id + label + context
        return hmac.new(key, labeled + b"\x01", hashlib.sha256).digest()[:length]

    enc, ciphertext = enc_and_ciphertext[:32], enc_and_ciphertext[32:]
    private = X25519PrivateKey.from_private_bytes(private_raw)
    shared = private.exchange(X25519PublicKey.from_public_bytes(enc))
    kem_context = enc + private.public_key().public_bytes_raw()
    secret = expand(
        extract(b"", b"eae_prk", shared, suite_kem), b"shared_secret", kem_context, 32, suite_kem
    )
    context = (
        b"\x00" + extract(b"", b"psk_id_hash", b"", suite) + extract(b"", b"info_hash", info, suite)
    )
    exporter = extract(secret, b"secret", b"", suite)
    key = expand(exporter, b"key", context, 32, suite)
    nonce = expand(exporter, b"base_nonce", context, 12, suite)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


def test_sealed_bytes_are_hpke_as_rfc_9180_says() -> None:
    sealed = seal(PUBLIC_KEY, b"secret", "one", "two")

    opened = rfc9180_open(
        decode_key(PRIVATE.partition(":")[2]), decode_base64url(sealed.ciphertext), b'["one","two"]'
    )

    assert opened == b"secret"


@given(plaintext=st.binary(max_size=2000), info=st.lists(st.text(max_size=20), max_size=4))
def test_anything_sealed_opens_again_with_the_same_words(plaintext: bytes, info: list[str]) -> None:
    sealed = seal(PUBLIC_KEY, plaintext, *info)

    assert RING.open(Sealed.model_validate_json(sealed.model_dump_json()), *info) == plaintext


def test_sealing_twice_gives_different_ciphertexts() -> None:
    assert seal(PUBLIC_KEY, b"x").ciphertext != seal(PUBLIC_KEY, b"x").ciphertext


@pytest.mark.parametrize("info", [(), ("ab",), ("a", "bc"), ("abc",), ("a", "b", "c")])
def test_other_words_do_not_open_it(info: tuple[str, ...]) -> None:
    sealed = seal(PUBLIC_KEY, b"secret", "ab", "c")

    with pytest.raises(CannotOpen, match="another purpose"):
        RING.open(sealed, *info)


@pytest.mark.parametrize("info", [("a", "bc"), ("abc",), ("c", "ab")])
def test_rewritten_words_do_not_open_it_either(info: tuple[str, ...]) -> None:
    sealed = seal(PUBLIC_KEY, b"secret", "ab", "c").model_copy(update={"info": info})

    with pytest.raises(CannotOpen, match="damaged"):
        RING.open(sealed, *info)


@pytest.mark.parametrize("position", [0, 31, 32, -1])
def test_one_changed_bit_anywhere_is_found(position: int) -> None:
    sealed = seal(PUBLIC_KEY, b"secret", "a")
    raw = bytearray(decode_base64url(sealed.ciphertext))
    raw[position] ^= 1

    with pytest.raises(CannotOpen, match="damaged"):
        RING.open(sealed.model_copy(update={"ciphertext": encode_base64url(bytes(raw))}), "a")


@pytest.mark.parametrize("ciphertext", ["", "abcd", "not base64url!", "A" * 43, "A" * 100])
def test_a_ciphertext_that_is_none_is_refused(ciphertext: str) -> None:
    sealed = Sealed(recipient_key_id="5535048a", info=("a",), ciphertext=ciphertext)

    with pytest.raises(CannotOpen):
        RING.open(sealed, "a")


def test_a_secret_for_another_recipient_is_refused_by_key_id() -> None:
    foreign = PublicKey.parse(new_key_pair().public)

    with pytest.raises(UnknownRecipientKey) as caught:
        RING.open(seal(foreign, b"secret"))

    assert caught.value.key_id == foreign.key_id


def test_a_former_key_in_the_ring_still_opens() -> None:
    current = new_key_pair()
    ring = KeyRing.parse(f"{current.private.get_secret_value()},{PRIVATE}")

    assert ring.open(seal(PUBLIC_KEY, b"old")) == b"old"
    assert ring.open(seal(PublicKey.parse(current.public), b"new")) == b"new"
    assert str(ring.public_key) == current.public


def test_a_game_key_opens_with_its_id_source_and_type() -> None:
    key = GameKey.from_text(PLAIN)

    assert open_game_key(RING, a_sealed_game_key(key)) == key


def test_an_image_key_comes_back_as_the_same_bytes() -> None:
    key = GameKey("image/png", b"\x89PNG\r\n\x1a\n\xff\xfe")

    assert open_game_key(RING, a_sealed_game_key(key)) == key


@pytest.mark.parametrize("change", [{"key_id": OTHER_ID}, {"media_type": "image/png"}])
def test_a_game_key_moved_to_another_id_or_type_does_not_open(change: dict[str, object]) -> None:
    moved = a_sealed_game_key(GameKey.from_text(PLAIN)).model_copy(update=change)

    with pytest.raises(CannotOpen):
        open_game_key(RING, moved)


def test_a_game_key_whose_source_was_renamed_does_not_open() -> None:
    key = a_sealed_game_key(GameKey.from_text(PLAIN))
    info = tuple("kinguin" if word == "custom" else word for word in key.sealed.info)
    renamed = key.model_copy(update={"sealed": key.sealed.model_copy(update={"info": info})})

    with pytest.raises(CannotOpen):
        open_game_key(RING, renamed)


def test_an_address_opens_only_for_its_order() -> None:
    sealed = seal_address(PUBLIC_KEY, "kundin@example.com", AN_ID)

    assert open_address(RING, sealed, AN_ID) == "kundin@example.com"
    with pytest.raises(CannotOpen):
        open_address(RING, sealed, OTHER_ID)


def test_a_sealed_key_shows_neither_key_nor_address() -> None:
    sealed = a_sealed_game_key(GameKey.from_text(PLAIN))

    assert PLAIN not in f"{sealed!r} {sealed.model_dump_json()}"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        "%s".__mod__,
        lambda key: f"{[key]} { ({'k': key}) }",
        lambda key: json.dumps({"key": key}, default=str),
    ],
)
def test_a_game_key_is_masked_however_it_is_printed(show: object) -> None:
    assert callable(show)

    shown = show(GameKey.from_text(PLAIN))

    assert PLAIN not in shown
    assert "**********" in shown


def test_a_game_key_cannot_be_serialised_copied_or_changed() -> None:
    key = GameKey.from_text(PLAIN)

    for spill in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars):
        with pytest.raises(TypeError):
            spill(key)
    with pytest.raises(PydanticSerializationError):
        TypeAdapter(object).dump_json(key)
    with pytest.raises(AttributeError):
        key.value = b"other"  # type: ignore[misc]  # the claim of this test
    with pytest.raises(AttributeError):
        del key._value


def test_an_error_about_a_game_key_does_not_quote_it() -> None:
    with pytest.raises(ValueError, match="must be UTF-8") as caught:
        GameKey("text/plain", PLAIN.encode() + b"\xff")

    assert PLAIN not in repr(caught.value)
    assert caught.value.__context__ is None


def test_an_image_key_has_no_text() -> None:
    with pytest.raises(TypeError, match="image/png"):
        GameKey("image/png", b"x").text()


def test_game_keys_are_equal_by_type_and_bytes() -> None:
    same = {GameKey.from_text(PLAIN), GameKey.from_text(PLAIN)}

    assert len(same) == 1
    assert GameKey("image/png", b"x") != GameKey("image/gif", b"x")
    assert GameKey.from_text("x") != "x"


def test_a_fingerprint_never_changes_between_releases() -> None:
    expected = "3a31255c360f42e288b30e43968e64c8d3bda38ae9494a89e7ff5a373fd12b6f"

    assert fingerprint(PEPPER, GameKey.from_text(PLAIN)) == expected


def test_a_fingerprint_ignores_white_space_around_text_but_not_in_images() -> None:
    def of(media_type: str, value: bytes) -> str:
        return fingerprint(PEPPER, GameKey(media_type, value))

    assert of("text/plain", b" AB \r\n") == of("text/plain", b"AB")
    assert of("text/plain", "\u00a0AB".encode()) == of("text/plain", b"AB")
    assert of("text/plain", b"A B") != of("text/plain", b"AB")
    assert of("image/png", b"AB\n") != of("image/png", b"AB")
    assert of("image/png", b"AB") != of("image/gif", b"AB")


def test_a_fingerprint_depends_on_the_pepper() -> None:
    key = GameKey.from_text(PLAIN)

    assert fingerprint(PEPPER, key) != fingerprint(SecretBytes(b"x" * 32), key)


def test_generated_secrets_have_the_formats_of_the_settings() -> None:
    pair = new_key_pair()

    assert str(KeyRing.parse(pair.private).public_key) == pair.public
    assert len(decode_key(new_secret().get_secret_value())) == 32
    assert len(SecretRing.parse(new_ring()).key_ids) == 1
    assert pair.private.get_secret_value() not in repr(pair)
