"""Addresses that exist are taken; one wrong letter is not, where the form can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders.domain.refund_address import COINS, checked_address
from orders.errors import WrongAddress

# From BIP-173, BIP-350 and the networks' own documents; nobody is to send anything there.
REAL = [
    ("btc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("btc", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
    ("btc", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ("btc", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4"),
    ("btc", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
    ("eth", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
    ("usdterc20", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
    ("usdttrc20", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("trx", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
    ("sol", "So11111111111111111111111111111111111111112"),
]


@pytest.mark.parametrize(("coin", "address"), REAL)
def test_real_address_is_taken_without_space_around_it(coin: str, address: str) -> None:
    assert checked_address(coin, f" {address}\n") == address


@pytest.mark.parametrize(("coin", "address"), REAL[:5] + REAL[7:9])
@given(position=st.integers(2, 25))
def test_one_wrong_letter_is_refused_where_there_is_a_checksum(
    coin: str, address: str, position: int
) -> None:
    other = "q" if address[position] not in "qQ" else "p"
    changed = address[:position] + other + address[position + 1 :]

    with pytest.raises(WrongAddress, match="copy it from your wallet") as refused:
        checked_address(coin, changed)

    assert refused.value.field == "address"
    assert changed not in str(refused.value)


@pytest.mark.parametrize(("coin", "address"), REAL)
def test_address_of_another_network_is_refused(coin: str, address: str) -> None:
    alike = {known for known, real in REAL if real == address} | {coin}
    alike |= {"eth", "usdterc20", "usdcmatic"} if address.startswith("0x") else set()
    for other in COINS.keys() - alike:
        with pytest.raises(WrongAddress):
            checked_address(other, address)


def test_coin_we_cannot_send_is_refused_with_those_we_can() -> None:
    with pytest.raises(WrongAddress, match="usdttrc20") as refused:
        checked_address("xrp", "rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh")

    assert refused.value.field == "coin"


@given(coin=st.sampled_from(sorted(COINS)), text=st.text(max_size=200))
def test_any_other_text_is_refused_and_breaks_nothing(coin: str, text: str) -> None:
    with pytest.raises(WrongAddress):
        checked_address(coin, text)
