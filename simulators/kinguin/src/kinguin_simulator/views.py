"""How products, orders and keys look in the buyer API: camelCase, EUR as numbers."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from kinguin_simulator.catalogue import (
    LAST_TIER,
    TIERS,
    Offer,
    Product,
    unit_price,
)
from kinguin_simulator.names import REGIONS
from kinguin_simulator.order import Key, KeyStatus, Line, Order, OrderStatus

STORE_ID = 1
USER_EMAIL = "shop@example.com"
StockLeft = Callable[[Offer], int]


def product_view(product: Product, left: StockLeft, factor: Decimal) -> dict[str, Any]:
    """A product with today's prices and stock."""
    cheapest = product.offers[0]
    quantity = left(cheapest)
    return {
        "kinguinId": product.kinguin_id,
        "productId": product.product_id,
        "cheapestOfferId": [cheapest.offer_id],
        "name": product.name,
        "originalName": product.name.removesuffix(f" {product.platform} CD Key"),
        "description": f"{product.name}: a game that does not exist.",
        "developers": [cheapest.merchant],
        "publishers": [cheapest.merchant],
        "genres": [product.genre],
        "platform": product.platform,
        "releaseDate": product.release_date.isoformat(),
        "qty": quantity,
        "textQty": quantity,
        "price": float(unit_price(cheapest, 1, factor)),
        "offers": [offer_view(product, offer, left, factor) for offer in product.offers],
        "offersCount": len(product.offers),
        "totalQty": sum(left(offer) for offer in product.offers),
        "isPreorder": product.is_preorder,
        "regionalLimitations": REGIONS[product.region_id],
        "countryLimitation": [],
        "regionId": product.region_id,
        "activationDetails": f"Activate the key in {product.platform}.",
        "languages": ["English", "German"],
        "updatedAt": product.updated_at.isoformat(timespec="seconds"),
        "systemRequirements": [],
        "tags": tags(product),
        "merchantName": [offer.merchant for offer in product.offers],
        "ageRating": "PEGI 12",
        "images": {"screenshots": [], "cover": None},
    }


def tags(product: Product) -> list[str]:
    """The product's tags, out of Kinguin's five."""
    kind = {"Prepaid": "prepaid", "Indie": "indie valley"}.get(product.genre)
    return ["base", *([kind] if kind else [])]


def offer_view(product: Product, offer: Offer, left: StockLeft, factor: Decimal) -> dict[str, Any]:
    """One offer."""
    quantity = left(offer)
    tiers = [
        {"level": level, "price": float(unit_price(offer, least, factor))}
        for level, least, _ in (*TIERS, LAST_TIER)
        if offer.wholesale
    ]
    return {
        "name": product.name,
        "offerId": offer.offer_id,
        "price": float(unit_price(offer, 1, factor)),
        "qty": quantity,
        "textQty": quantity,
        "availableQty": quantity,
        "availableTextQty": quantity,
        "merchantName": offer.merchant,
        "isPreorder": product.is_preorder,
        "releaseDate": product.release_date.isoformat(),
        "wholesale": {"enabled": offer.wholesale, "tiers": tiers},
    }


def order_view(order: Order, *, with_keys: bool) -> dict[str, Any]:
    """An order; reading one shows the states of its keys, never the keys."""
    total = float(order.price_charged)
    return {
        "orderId": order.order_id,
        "orderExternalId": order.external_id,
        "status": order.status,
        "storeId": STORE_ID,
        "userEmail": USER_EMAIL,
        "createdAt": order.created_at.isoformat(timespec="seconds"),
        "totalPrice": total,
        "requestTotalPrice": float(order.price_requested),
        "paymentPrice": total,
        "totalQty": order.quantity,
        "isPreorder": order.is_preorder,
        "products": [_line_view(order, line, with_keys=with_keys) for line in order.lines],
    }


def _line_view(order: Order, line: Line, *, with_keys: bool) -> dict[str, Any]:
    view: dict[str, Any] = {
        "kinguinId": line.kinguin_id,
        "productId": line.product_id,
        "offerId": line.offer_id,
        "qty": line.quantity,
        "name": line.name,
        "price": float(line.price),
        "totalPrice": float(line.price * line.quantity),
        "requestPrice": float(line.request_price),
        "isPreorder": line.is_preorder,
        "releaseDate": line.release_date.isoformat(),
    }
    if line.key_type is not None:
        view["keyType"] = line.key_type
    if with_keys:
        view["keys"] = [{"id": key.id, "status": key.status} for key in line.keys]
        view["keys"] += _missing_keys(order, line)
    return view


def _missing_keys(order: Order, line: Line) -> list[dict[str, str]]:
    closed = order.status is not OrderStatus.PROCESSING
    status = KeyStatus.CANCELED if closed else KeyStatus.PENDING
    numbers = range(len(line.keys), line.quantity)
    return [{"id": f"{order.order_id}-{line.kinguin_id}-{n}", "status": status} for n in numbers]


def key_views(order: Order) -> list[dict[str, Any]]:
    """The delivered keys of an order, those given back left out."""
    return [
        {
            "id": key.id,
            "serial": key.serial,
            "type": key.type,
            "name": line.name,
            "kinguinId": line.kinguin_id,
            "offerId": line.offer_id,
            "productId": line.product_id,
        }
        for line in order.lines
        for key in line.keys
        if key.status is KeyStatus.DELIVERED
    ]


def ledger_row(order: Order) -> dict[str, Any]:
    """The truth about an order for the control side."""
    return {
        "order_id": order.order_id,
        "external_id": order.external_id,
        "status": order.status,
        "quantity": order.quantity,
        "price_charged": float(order.price_charged),
        "return_requested": order.return_requested,
        "keys": [_ledger_key(key) for key in order.keys],
    }


def _ledger_key(key: Key) -> dict[str, str]:
    return {"id": key.id, "serial": key.serial, "type": key.type}
