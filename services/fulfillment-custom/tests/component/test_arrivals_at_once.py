"""The same keys arrive twice at the same moment."""

import asyncio

import sqlalchemy as sa
from contracts import StockReturned
from contracts.testing import a_sealed_key, a_stock_returned
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_custom.adapters.tables import stock_keys
from fulfillment_custom.handlers.add_stock import TakeReturnedKeys
from servicekit.testing import ServiceHarness


async def test_same_keys_in_another_order_for_another_product_wait_their_turn(
    stock: ServiceHarness, clock: FixedClock
) -> None:
    one, other = a_sealed_key(), a_sealed_key()
    first_product, second_product = new_id(), new_id()
    take = TakeReturnedKeys(clock)

    async def arrive(message: StockReturned) -> None:
        async with stock.database.transaction() as transaction:
            await take(transaction, message)

    async with stock.database.transaction() as transaction:
        await take(transaction, a_stock_returned(product_id=first_product, keys=(one,)))
        second = asyncio.create_task(
            arrive(a_stock_returned(product_id=second_product, keys=(other, one)))
        )
        await asyncio.sleep(0.3)
        await take(transaction, a_stock_returned(product_id=first_product, keys=(other,)))
    await second

    async with stock.database.transaction() as reading:
        owners = await reading.scalars(sa.select(stock_keys.c.product_id))
        assert list(owners) == [first_product, first_product]


async def test_same_upload_to_two_products_at_once_counts_each_key_once(
    stock: ServiceHarness, admin: dict[str, str]
) -> None:
    keys = [f"KEY-{number}" for number in range(200)]

    answers = await asyncio.gather(
        *(
            stock.http.post(f"/admin/products/{new_id()}/keys", json={"keys": order}, headers=admin)
            for order in (keys, keys[::-1])
        )
    )

    counts = sorted((a.json()["added"], a.json()["duplicates"]) for a in answers)
    assert counts == [(0, 200), (200, 0)]
