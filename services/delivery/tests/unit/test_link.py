"""The mailed link: computed, bound to its delivery and version, and never sent to a server."""

from urllib.parse import urlsplit
from uuid import UUID

import pytest
from delivery.domain.link import link, link_token, token_matches
from delivery.handlers.send_mails import message_id
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretBytes

SECRET = SecretBytes(b"a secret of thirty-two bytes, ok")
OTHER_SECRET = SecretBytes(b"another secret of 32 bytes, okay")
DELIVERY = UUID("01a206a8-0d73-7fdd-b08c-ec858e87a7c4")


@given(st.uuids(), st.integers(1, 10_000))
def test_token_is_repeated_exactly_and_opens_its_own_link_only(
    delivery_id: UUID, version: int
) -> None:
    token = link_token(SECRET, delivery_id, version)

    assert token == link_token(SECRET, delivery_id, version)
    assert token_matches(token, SECRET, delivery_id, version)
    assert not token_matches(token, SECRET, delivery_id, version + 1)
    assert not token_matches(token, SECRET, DELIVERY, version)
    assert not token_matches(token, OTHER_SECRET, delivery_id, version)


@given(st.text(max_size=60))
def test_whatever_is_given_as_a_token_is_only_refused(given_token: str) -> None:
    assert not token_matches(given_token, SECRET, DELIVERY, 1)


def test_token_has_256_bits_and_needs_no_escape_in_an_address() -> None:
    token = link_token(SECRET, DELIVERY, 1)

    assert len(token) == 43
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize("shop", ["https://shop.example", "https://shop.example/"])
def test_token_stands_where_browsers_keep_it_to_themselves(shop: str) -> None:
    parts = urlsplit(link(shop, DELIVERY, "the-token"))

    assert (parts.path, parts.query, parts.fragment) == (f"/keys/{DELIVERY}", "", "the-token")


@pytest.mark.parametrize(
    ("mail_from", "domain"),
    [
        ("BitLoot <keys@bitloot.example>", "bitloot.example"),
        ("keys@bitloot.example", "bitloot.example"),
        ("keys", "localhost"),
    ],
)
def test_message_id_is_stable_and_on_the_domain_of_the_sender(mail_from: str, domain: str) -> None:
    assert message_id("keys.1", mail_from) == f"<keys.1@{domain}>"
