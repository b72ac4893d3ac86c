"""1, 2, 3 and 11: each line its keys, each key one line, one purchase, stock that adds up."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Final
from uuid import UUID

from bitloot_verify import rows
from bitloot_verify.invariants.finding import Finding
from bitloot_verify.reading import Ledgers, Reading

_SHOWN: Final = frozenset({"stored", "mailed", "mail_failed"})
_BOUGHT: Final = frozenset({"placed", "slow", "keys_ready", "needs_attention"})
_NOT_CHARGED: Final = frozenset({"canceled", "cancelled", "refunded"})
_THE_SUPPLIERS: Final = frozenset({"return_requested", "returned"})
_LINE_ID_LENGTH: Final = 36


def keys_per_line(reading: Reading) -> Iterator[Finding]:
    """1. A delivered line has exactly its quantity of keys, no line has more."""
    yield from _deliveries_hold_the_quantity(reading)
    yield from _own_stock_gives_the_quantity(reading)
    yield from _kinguin_gives_the_quantity(reading)


def _deliveries_hold_the_quantity(reading: Reading) -> Iterator[Finding]:
    items = reading.by_id(rows.Item)
    shown = {d.line_id for d in reading.all(rows.Delivery) if d.state in _SHOWN}
    for delivery in reading.all(rows.Delivery):
        item = items.get(delivery.line_id)
        if item is None:
            yield Finding(f"delivery {delivery.id}", "no order has its line")
        elif delivery.state in _SHOWN and len(delivery.fingerprints) != item.quantity:
            has = len(delivery.fingerprints)
            yield Finding(f"line {item.id}", f"{has} keys delivered, {item.quantity} bought")
    for item in items.values():
        if item.status in {"stored", "delivered"} and item.id not in shown:
            yield Finding(f"line {item.id}", f"{item.status}, but delivery has no keys to show")


def _own_stock_gives_the_quantity(reading: Reading) -> Iterator[Finding]:
    given = Counter(key.line_id for key in reading.all(rows.StockKey) if key.line_id)
    for line in reading.all(rows.CustomLine):
        due = line.quantity if line.state == "assigned" else 0
        if given[line.id] != due:
            yield Finding(f"line {line.id}", f"{given[line.id]} keys assigned, {due} due")


def _kinguin_gives_the_quantity(reading: Reading) -> Iterator[Finding]:
    bought = Counter(key.purchase_id for key in reading.all(rows.BoughtKey))
    of_line: Counter[UUID] = Counter()
    for purchase in reading.all(rows.Purchase):
        if purchase.state == "keys_ready":
            of_line[purchase.line_id] += bought[purchase.id]
    for line in reading.all(rows.KinguinLine):
        if line.state == "ready" and of_line[line.id] != line.quantity:
            says = f"ready with {of_line[line.id]} bought keys, {line.quantity} due"
            yield Finding(f"line {line.id}", says)


def key_of_one_line(reading: Reading) -> Iterator[Finding]:
    """2. A key, by its fingerprint, belongs to at most one line."""
    owners: defaultdict[str, set[UUID]] = defaultdict(set)
    given = (_delivered(reading), _assigned(reading), _bought_for_ready_lines(reading))
    for line_id, fingerprint in chain.from_iterable(given):
        owners[fingerprint].add(line_id)
    for fingerprint, lines in owners.items():
        if len(lines) > 1:
            named = ", ".join(sorted(map(str, lines)))
            yield Finding(f"key {fingerprint[:12]}", f"given to several lines: {named}")
    back = _given_back(reading)
    for line_id, fingerprint in _delivered(reading):
        if fingerprint in back:
            says = f"{back[fingerprint]} to the supplier, and line {line_id} has it"
            yield Finding(f"key {fingerprint[:12]}", says)


def _given_back(reading: Reading) -> Mapping[str, str]:
    """Keys that are the supplier's again, or may be at any moment, with how far that is."""
    orders = () if reading.ledgers is None else reading.ledgers.supplier_orders
    refunded = {str(o["order_id"]) for o in orders if str(o["status"]).lower() == "refunded"}
    how_far = {p.id: _how_far_back(p, refunded) for p in reading.all(rows.Purchase)}
    return {
        key.fingerprint: how
        for key in reading.all(rows.BoughtKey)
        if (how := how_far.get(key.purchase_id))
    }


def _how_far_back(purchase: rows.Purchase, refunded: AbstractSet[str]) -> str | None:
    """Judged by the supplier too: what a person ended may have gone back all the same."""
    if purchase.state in _THE_SUPPLIERS:
        return purchase.state
    if purchase.return_taken:
        return "promised back"
    # A buyer's key whose money came back by itself is still the buyer's.
    went_back = purchase.reservation_id in refunded and purchase.state != "keys_ready"
    return "gone back" if went_back else None


def _delivered(reading: Reading) -> Iterator[tuple[UUID, str]]:
    for delivery in reading.all(rows.Delivery):
        if delivery.state != "voided" or delivery.was_revealed:
            yield from ((delivery.line_id, fingerprint) for fingerprint in delivery.fingerprints)


def _assigned(reading: Reading) -> Iterator[tuple[UUID, str]]:
    for key in reading.all(rows.StockKey):
        if key.line_id is not None:
            yield key.line_id, key.fingerprint


def _bought_for_ready_lines(reading: Reading) -> Iterator[tuple[UUID, str]]:
    purchases = reading.by_id(rows.Purchase)
    lines = reading.by_id(rows.KinguinLine)
    for key in reading.all(rows.BoughtKey):
        purchase = purchases.get(key.purchase_id)
        line = lines.get(purchase.line_id) if purchase else None
        if line is not None and line.state == "ready":
            yield line.id, key.fingerprint


def one_purchase_per_line(reading: Reading) -> Iterator[Finding]:
    """3. At most one uncancelled purchase of a line; judged by the supplier's ledger if known."""
    bought = Counter(p.line_id for p in reading.all(rows.Purchase) if p.state in _BOUGHT)
    for line_id, number in bought.items():
        if number > 1:
            yield Finding(f"line {line_id}", f"{number} purchases stand at once")
    if reading.ledgers is not None:
        yield from _supplier_charged_once(reading, reading.ledgers)


def _supplier_charged_once(reading: Reading, ledgers: Ledgers) -> Iterator[Finding]:
    known = {purchase.external_id for purchase in reading.all(rows.Purchase)}
    charged: Counter[str] = Counter()
    for order in ledgers.supplier_orders:
        external_id = str(order["external_id"])
        if external_id not in known:
            yield Finding(f"supplier order {order['order_id']}", "no purchase of ours asked for it")
        if str(order["status"]).lower() not in _NOT_CHARGED:
            charged[external_id[:_LINE_ID_LENGTH]] += 1
    for line, number in charged.items():
        if number > 1:
            yield Finding(f"line {line}", f"the supplier charged {number} orders for it")


def stock_adds_up(reading: Reading) -> Iterator[Finding]:
    """11. Uploaded + returned = free + reserved + assigned + withdrawn, product by product."""
    added = {upload.product_id: upload.added for upload in reading.all(rows.Upload)}
    uploaded: Counter[UUID] = Counter()
    for key in reading.all(rows.StockKey):
        if key.origin == "upload":
            uploaded[key.product_id] += 1
        is_given = key.line_id is not None
        if is_given and key.state in {"free", "reserved"}:
            yield Finding(f"stock key {key.id}", f"given to a line and {key.state} as well")
        if key.state == "assigned" and not is_given:
            yield Finding(f"stock key {key.id}", "assigned to no line")
    yield from _held_for_nothing(reading)
    yield from _in_stock_and_given_back(reading)
    for product_id in added.keys() | uploaded.keys():
        if added.get(product_id, 0) != uploaded[product_id]:
            says = f"{added.get(product_id, 0)} keys uploaded, {uploaded[product_id]} there"
            yield Finding(f"product {product_id}", says)


def _in_stock_and_given_back(reading: Reading) -> Iterator[Finding]:
    back = _given_back(reading)
    for key in reading.all(rows.StockKey):
        if key.fingerprint in back:
            says = f"in stock, and {back[key.fingerprint]} to the supplier"
            yield Finding(f"stock key {key.id}", says)


def _held_for_nothing(reading: Reading) -> Iterator[Finding]:
    """Keys are held only for lines that may still want them."""
    orders, items = reading.by_id(rows.Order), reading.by_id(rows.Item)
    for key in reading.all(rows.StockKey):
        item = items.get(key.reserved_for) if key.reserved_for else None
        order = orders.get(item.order_id) if item else None
        if item is None or order is None:
            continue
        is_over = order.cancelled or order.money == "expired"
        if is_over or item.status not in {"waiting", "requested"}:
            says = f"held for line {item.id}, which is {item.status} of a {order.status} order"
            yield Finding(f"stock key {key.id}", says)
