"""What a buyer asks for, and the rules that decide which offers serve it.

Rules of the buyer API's order page: at most nine of an offer unless it is
wholesale, an offer once a request, one pre-order alone, price as a limit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kinguin_simulator.catalogue import Offer, Product, unit_price
from kinguin_simulator.errors import ConstraintViolation, PreorderRefused, ProductUnavailable
from kinguin_simulator.order import Line

HIGHEST_QUANTITY = 9
StockLeft = Callable[[Offer], int]


@dataclass(frozen=True)
class Wanted:
    """One position of a request; `price` None pays what the offer costs."""

    product: Product | None
    quantity: int
    price: Decimal | None
    offer_id: str | None = None
    key_type: str | None = None


def choose_lines(basket: Sequence[Wanted], left: StockLeft, price_factor: Decimal) -> list[Line]:
    """The order lines that serve `basket`.

    Raises:
        ConstraintViolation: a quantity or an offer named twice.
        PreorderRefused: a pre-order with anything else, or with a key type.
        ProductUnavailable: unknown, sold out, or dearer than asked.
    """
    _check_preorders(basket)
    lines = [_choose_line(index, wanted, left, price_factor) for index, wanted in enumerate(basket)]
    offer_ids = [line.offer_id for line in lines]
    if len(set(offer_ids)) < len(offer_ids):
        raise ConstraintViolation("products", 'Invalid "products" property. Offers must differ')
    return lines


def _check_preorders(basket: Sequence[Wanted]) -> None:
    preorders = [wanted for wanted in basket if wanted.product and wanted.product.is_preorder]
    if preorders and len(basket) > 1:
        raise PreorderRefused("A pre-order must be the only product of an order")
    if any(wanted.key_type for wanted in preorders):
        raise PreorderRefused("keyType is not allowed for pre-orders")


def _choose_line(index: int, wanted: Wanted, left: StockLeft, price_factor: Decimal) -> Line:
    if wanted.product is None:
        raise ProductUnavailable
    for offer in wanted.product.offers:
        if wanted.offer_id not in {None, offer.offer_id}:
            continue
        _check_quantity(index, wanted, offer)
        price = unit_price(offer, wanted.quantity, price_factor)
        affordable = wanted.price is None or price <= wanted.price
        if affordable and left(offer) >= wanted.quantity:
            return _line(wanted, wanted.product, offer, price)
    raise ProductUnavailable


def _check_quantity(index: int, wanted: Wanted, offer: Offer) -> None:
    wholesale = offer.wholesale and wanted.offer_id is not None
    if wanted.quantity > HIGHEST_QUANTITY and not wholesale:
        path = f"products[{index}].qty"
        detail = f'Invalid "{path}" property. At most {HIGHEST_QUANTITY} per offer'
        raise ConstraintViolation(path, detail, wanted.quantity)


def _line(wanted: Wanted, product: Product, offer: Offer, price: Decimal) -> Line:
    return Line(
        kinguin_id=product.kinguin_id,
        product_id=product.product_id,
        offer_id=offer.offer_id,
        name=product.name,
        quantity=wanted.quantity,
        price=price,
        request_price=price if wanted.price is None else wanted.price,
        release_date=product.release_date,
        key_type=wanted.key_type,
        is_preorder=product.is_preorder,
        is_wholesale=wanted.quantity > HIGHEST_QUANTITY,
        keys=[],
    )
