"""Products and offers: named ones with ids for good, and any number of generated ones.

Product n has kinguinId 1000+n and ids that end in n, in decimal. Everything
follows from n, so two runs have the same catalogue. Prices are EUR.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from kinguin_simulator.names import FIRST_WORDS, REGIONS, SECOND_WORDS, STUDIOS, TITLES

FIRST_KINGUIN_ID = 1000
SOLD_OUT = 29
NEARLY_SOLD_OUT = 30
NEARLY_SOLD_OUT_STOCK = 2
WHOLESALE = 32
PREORDER = 33
TIERS = ((1, 10, Decimal("0.95")), (2, 50, Decimal("0.92")), (3, 100, Decimal("0.9")))
LAST_TIER = (4, 500, Decimal("0.87"))
CENT = Decimal("0.01")
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Offer:
    """One seller's price for a product; `stock` is what it starts with."""

    offer_id: str
    price: Decimal
    stock: int
    merchant: str
    wholesale: bool = False


@dataclass(frozen=True)
class Product:
    """A product; its first offer is the cheapest."""

    number: int
    product_id: str
    name: str
    genre: str
    platform: str
    region_id: int
    release_date: date
    updated_at: datetime
    offers: tuple[Offer, ...]
    is_preorder: bool = False

    @property
    def kinguin_id(self) -> int:
        """The integer id that v1 addresses use."""
        return FIRST_KINGUIN_ID + self.number


def product_id(number: int) -> str:
    """Product n's id: 24 characters, `5c9b5c9b5c9b5c9b5c9b0001` for 1."""
    return _id("5c9b", number)


def offer_id(number: int, rank: int = 0) -> str:
    """The id of product n's offer: `5f7e…` the cheapest, `5f7f…` the other one."""
    return _id(("5f7e", "5f7f")[rank], number)


def _id(pattern: str, number: int) -> str:
    suffix = f"{number:04}"
    return (pattern * 6)[: 24 - len(suffix)] + suffix


class Catalogue:
    """All products, found by either id, by offer or by search."""

    def __init__(self, generated: int, stock: int) -> None:
        self.products = list(_products(generated, stock))
        self.by_kinguin_id = {product.kinguin_id: product for product in self.products}
        self.by_product_id = {product.product_id: product for product in self.products}
        self.by_offer_id = {
            offer.offer_id: (product, offer)
            for product in self.products
            for offer in product.offers
        }
        self._lower_names = [product.name.lower() for product in self.products]

    def named(self, text: str) -> Iterator[Product]:
        """Products whose name contains `text`, any case."""
        wanted = text.lower()
        for product, name in zip(self.products, self._lower_names, strict=True):
            if wanted in name:
                yield product


def _products(generated: int, stock: int) -> Iterator[Product]:
    for number, (title, genre, platform) in enumerate(TITLES, start=1):
        yield _product(number, title, genre, platform, _named_stock(number, stock))
    for number in range(len(TITLES) + 1, len(TITLES) + generated + 1):
        _, genre, platform = TITLES[number % len(TITLES)]
        yield _product(number, _generated_title(number), genre, platform, stock)


def _named_stock(number: int, stock: int) -> int:
    return {SOLD_OUT: 0, NEARLY_SOLD_OUT: NEARLY_SOLD_OUT_STOCK}.get(number, stock)


def _generated_title(number: int) -> str:
    first = FIRST_WORDS[number % len(FIRST_WORDS)]
    second = SECOND_WORDS[number // len(FIRST_WORDS) % len(SECOND_WORDS)]
    return f"{first} {second} {number}"


def _product(number: int, title: str, genre: str, platform: str, stock: int) -> Product:
    regions = list(REGIONS)
    is_preorder = number == PREORDER
    released = date(2031, 6, 1) if is_preorder else date(2012 + number % 14, 1 + number % 12, 7)
    return Product(
        number=number,
        product_id=product_id(number),
        name=f"{title} {platform} CD Key",
        genre=genre,
        platform=platform,
        region_id=regions[number % len(regions)],
        release_date=released,
        updated_at=_EPOCH + timedelta(minutes=number),
        offers=_offers(number, stock),
        is_preorder=is_preorder,
    )


def _offers(number: int, stock: int) -> tuple[Offer, ...]:
    cheapest = Decimal(199 + number * 173 % 3800) * CENT
    wholesale = number == WHOLESALE
    return (
        Offer(offer_id(number), cheapest, stock, STUDIOS[number % len(STUDIOS)], wholesale),
        Offer(
            offer_id(number, 1),
            (cheapest * Decimal("1.1")).quantize(CENT),
            stock,
            STUDIOS[(number + 1) % len(STUDIOS)],
        ),
    )


def unit_price(offer: Offer, quantity: int, factor: Decimal) -> Decimal:
    """EUR for one key when `quantity` are bought, at today's price `factor`."""
    share = Decimal(1)
    if offer.wholesale:
        for _, least, tier_share in (*TIERS, LAST_TIER):
            share = tier_share if quantity >= least else share
    return (offer.price * factor * share).quantize(CENT)
