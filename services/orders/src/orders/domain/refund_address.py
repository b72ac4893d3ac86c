"""Is this text plausibly an address of that coin? Money sent to a slip of the pen is gone.

Base58Check (Bitcoin wiki) and Bech32 (BIP-173, BIP-350) carry a checksum, which is checked.
Ethereum's mixed-case checksum (EIP-55) needs Keccak and is not; nor has Solana's form one.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from orders.errors import WrongAddress

MAX_CHARACTERS: Final = 128
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANTS: Final = {1: 0, 0x2BC830A3: 1}
"""What a valid checksum leaves, and the least witness version it stands for."""
_ETHEREUM: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_HASH_BYTES: Final = 20
_CHECKSUM_BYTES: Final = 4
_SOLANA_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin on one network that refunds are sent in; `looks_like` helps who mistyped."""

    code: str
    name: str
    network: str
    looks_like: str
    is_address: Callable[[str], bool]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATOR):
            checksum ^= generator if (top >> bit) & 1 else 0
    return checksum


def _is_segwit(address: str, prefix: str) -> bool:
    if address not in {address.lower(), address.upper()}:
        return False
    human, separator, coded = address.lower().rpartition("1")
    if human != prefix or not separator or not set(coded) <= set(_BECH32):
        return False
    values = [_BECH32.index(character) for character in coded]
    expanded = [ord(c) >> 5 for c in human] + [0] + [ord(c) & 31 for c in human]
    version = _BECH32_CONSTANTS.get(_polymod(expanded + values))
    # 20 or 32 bytes in groups of 5 bits, with the version and six of checksum.
    return version is not None and min(values[0], 1) == version and len(coded) in {39, 59}


def _base58(text: str) -> bytes:
    number = 0
    for character in text:
        position = _BASE58.find(character)
        if position < 0:
            return b""
        number = number * 58 + position
    leading = len(text) - len(text.lstrip("1"))
    return bytes(leading) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _is_base58check(address: str, versions: frozenset[int]) -> bool:
    raw = _base58(address)
    if len(raw) != 1 + _HASH_BYTES + _CHECKSUM_BYTES or raw[0] not in versions:
        return False
    payload, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    twice = hashlib.sha256(hashlib.sha256(payload).digest()).digest()
    return twice[:_CHECKSUM_BYTES] == checksum


def _bitcoin_like(prefix: str | None, *versions: int) -> Callable[[str], bool]:
    known = frozenset(versions)

    def is_address(text: str) -> bool:
        return _is_base58check(text, known) or (prefix is not None and _is_segwit(text, prefix))

    return is_address


def _is_ethereum(text: str) -> bool:
    return _ETHEREUM.fullmatch(text) is not None


def _is_solana(text: str) -> bool:
    return len(_base58(text)) == _SOLANA_BYTES


_HEX = "0x and 40 digits from 0 to f"
_T34 = "T and 33 more characters"
_is_tron = _bitcoin_like(None, 0x41)
_COINS: Final = (
    Coin("btc", "Bitcoin", "Bitcoin", "bc1…, 1… or 3…", _bitcoin_like("bc", 0x00, 0x05)),
    Coin("ltc", "Litecoin", "Litecoin", "ltc1…, L… or M…", _bitcoin_like("ltc", 0x30, 0x32)),
    Coin("doge", "Dogecoin", "Dogecoin", "D…", _bitcoin_like(None, 0x1E, 0x16)),
    Coin("eth", "Ether", "Ethereum", _HEX, _is_ethereum),
    Coin("usdterc20", "Tether USD", "Ethereum (ERC-20)", _HEX, _is_ethereum),
    Coin("usdcmatic", "USD Coin", "Polygon", _HEX, _is_ethereum),
    Coin("trx", "Tron", "Tron", _T34, _is_tron),
    Coin("usdttrc20", "Tether USD", "Tron (TRC-20)", _T34, _is_tron),
    Coin("sol", "Solana", "Solana", "32 to 44 letters and digits", _is_solana),
)
COINS: Final[Mapping[str, Coin]] = {coin.code: coin for coin in _COINS}
"""Coins whose addresses need no memo: a forgotten one loses the money."""


def checked_address(coin_code: str, address: str) -> str:
    """The address without space around it.

    Raises:
        WrongAddress: no coin of ours, or not an address of it; the text is not repeated.
    """
    coin = COINS.get(coin_code)
    if coin is None:
        raise WrongAddress("coin", f"is none we can send; we can send {', '.join(COINS)}")
    text = address.strip()
    if len(text) > MAX_CHARACTERS or not coin.is_address(text):
        where = f"{coin.name} address on {coin.network}"
        raise WrongAddress(
            "address",
            f"is not a valid {where} (they look like {coin.looks_like}):"
            " please copy it from your wallet",
        )
    return text
