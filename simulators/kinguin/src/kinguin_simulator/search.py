"""The filters of the product and order searches."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from kinguin_simulator.catalogue import Catalogue, Product
from kinguin_simulator.ledger import Ledger
from kinguin_simulator.order import Order
from kinguin_simulator.requests import OrderSearch, ProductSearch
from kinguin_simulator.views import StockLeft, tags

Item = TypeVar("Item")
Test = Callable[[Item], bool]


def find_products(catalogue: Catalogue, query: ProductSearch, left: StockLeft) -> list[Product]:
    """Every product that fits, sorted."""
    tests = [*_id_tests(query), *_kind_tests(query), *_state_tests(query, left)]
    candidates = catalogue.named(query.name) if query.name else catalogue.products
    found = _fitting(candidates, tests)
    # Numbers and update times of the catalogue rise together.
    return found[::-1] if query.sortType == "desc" else found


def find_orders(ledger: Ledger, query: OrderSearch) -> list[Order]:
    """Every order that fits, newest first."""
    if query.orderExternalId is not None:
        candidates = ledger.by_external_id(query.orderExternalId)
    else:
        candidates = ledger.all_orders()[::-1]
    return _fitting(candidates, [*_order_tests(query), *_order_time_tests(query)])


def _fitting(candidates: Iterable[Item], tests: list[Test[Item]]) -> list[Item]:
    return [item for item in candidates if all(test(item) for test in tests)]


def _words(text: str) -> set[str]:
    return {word.strip() for word in text.split(",") if word.strip()}


def _id_tests(query: ProductSearch) -> Iterable[Test[Product]]:
    if query.kinguinId is not None:
        numbers = _words(query.kinguinId)
        yield lambda product: str(product.kinguin_id) in numbers
    if query.productId is not None:
        ids = _words(query.productId)
        yield lambda product: product.product_id in ids


def _kind_tests(query: ProductSearch) -> Iterable[Test[Product]]:
    if query.platform is not None:
        platforms = _words(query.platform)
        yield lambda product: product.platform in platforms
    if query.genre is not None:
        genres = _words(query.genre)
        yield lambda product: product.genre in genres
    if query.tags is not None:
        wanted = _words(query.tags)
        yield lambda product: not wanted.isdisjoint(tags(product))
    if query.merchantName is not None:
        merchants = _words(query.merchantName)
        yield lambda product: any(offer.merchant in merchants for offer in product.offers)
    if query.regionId is not None:
        yield lambda product: product.region_id == query.regionId


def _state_tests(query: ProductSearch, left: StockLeft) -> Iterable[Test[Product]]:
    if query.isPreorder is not None:
        yield lambda product: product.is_preorder == (query.isPreorder == "yes")
    if query.activePreorder is not None:
        yield lambda product: product.is_preorder
    if query.withText is not None:
        yield lambda product: left(product.offers[0]) > 0
    if (since := query.updatedSince) is not None:
        yield lambda product: product.updated_at >= since
    if (until := query.updatedTo) is not None:
        yield lambda product: product.updated_at <= until


def _order_tests(query: OrderSearch) -> Iterable[Test[Order]]:
    if query.orderId is not None:
        yield lambda order: order.order_id == query.orderId
    if query.status is not None:
        yield lambda order: order.status is query.status
    if query.kinguinId is not None:
        yield lambda order: any(line.kinguin_id == query.kinguinId for line in order.lines)
    if query.productId is not None:
        yield lambda order: any(line.product_id == query.productId for line in order.lines)
    if query.isPreorder is not None:
        yield lambda order: order.is_preorder == (query.isPreorder == "yes")


def _order_time_tests(query: OrderSearch) -> Iterable[Test[Order]]:
    if (since := query.createdAtFrom) is not None:
        yield lambda order: order.created_at >= since
    if (until := query.createdAtTo) is not None:
        yield lambda order: order.created_at <= until
