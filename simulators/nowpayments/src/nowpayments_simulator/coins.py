"""The currencies the simulated account trades, at rates that never move.

Rates and minima are invented but of a real size, so that amounts in bitcoin
get as small as they do in life. Payouts arrive in `PAYOUT_COIN`.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

PAYOUT_COIN = "usdttrc20"
AMOUNT_STEP = Decimal("0.00000001")
FIAT_USD = {
    "usd": Decimal(1),
    "eur": Decimal("1.08"),
    "gbp": Decimal("1.27"),
    "cad": Decimal("0.73"),
    "aud": Decimal("0.66"),
    "ils": Decimal("0.27"),
    "ron": Decimal("0.22"),
}


@dataclass(frozen=True)
class Coin:
    """One cryptocurrency on one network; `usd` is the price of one coin."""

    code: str
    name: str
    network: str
    usd: Decimal
    minimum_usd: Decimal
    address: str
    precision: int = 8
    has_extra_id: bool = False
    is_stable: bool = False


_COINS = (
    Coin("btc", "Bitcoin", "btc", Decimal("64250.5"), Decimal("0.5"), "bc1q"),
    Coin("eth", "Ethereum", "eth", Decimal("3120.75"), Decimal("0.8"), "0x", 18),
    Coin("ltc", "Litecoin", "ltc", Decimal("83.42"), Decimal("0.3"), "ltc1q"),
    Coin("trx", "Tron", "trx", Decimal("0.1437"), Decimal("0.5"), "T", 6),
    Coin(
        "usdttrc20", "Tether USD (Tron)", "trx", Decimal(1), Decimal("0.5"), "T", 6, is_stable=True
    ),
    Coin(
        "usdterc20", "Tether USD (Ethereum)", "eth", Decimal(1), Decimal(2), "0x", 6, is_stable=True
    ),
    Coin(
        "usdcmatic",
        "USD Coin (Polygon)",
        "matic",
        Decimal(1),
        Decimal("0.5"),
        "0x",
        6,
        is_stable=True,
    ),
    Coin("xrp", "Ripple", "xrp", Decimal("0.5233"), Decimal("0.5"), "r", 6, has_extra_id=True),
    Coin("xlm", "Stellar", "xlm", Decimal("0.0971"), Decimal("0.5"), "G", 7, has_extra_id=True),
    Coin("sol", "Solana", "sol", Decimal("142.18"), Decimal("0.5"), "So", 9),
    Coin("doge", "Dogecoin", "doge", Decimal("0.1218"), Decimal("0.5"), "D"),
    Coin("xmr", "Monero", "xmr", Decimal("158.6"), Decimal("0.6"), "4", 12),
)
COINS = {coin.code: coin for coin in _COINS}


def is_known(currency: str) -> bool:
    """Whether `currency` (any case) is a fiat or a coin of ours."""
    return currency.lower() in FIAT_USD or currency.lower() in COINS


def usd_rate(currency: str) -> Decimal:
    """US dollars for one unit of a known currency.

    Raises:
        KeyError: the currency is not known.
    """
    code = currency.lower()
    return FIAT_USD[code] if code in FIAT_USD else COINS[code].usd


def convert(amount: Decimal, source: str, target: str) -> Decimal:
    """`amount` of `source` in `target`, to eight decimal places.

    Raises:
        KeyError: one of the currencies is not known.
    """
    return rounded(amount * usd_rate(source) / usd_rate(target))


def rounded(amount: Decimal) -> Decimal:
    """`amount` to eight decimal places."""
    return amount.quantize(AMOUNT_STEP, ROUND_HALF_UP)
