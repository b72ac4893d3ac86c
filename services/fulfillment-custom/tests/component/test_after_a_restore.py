"""A database went back to a backup: what is told from then on is newer than what was lost."""

import pytest
import sqlalchemy as sa
from contracts import StockUpdated
from contracts.testing import a_fulfillment_requested_custom
from foundation.clock import new_id
from foundation.testing import FixedClock
from fulfillment_custom.adapters.tables import stock_levels
from fulfillment_custom.testing import shelve
from servicekit.testing import ServiceHarness

pytestmark = pytest.mark.component


async def test_a_stock_level_is_heard(stock: ServiceHarness, clock: FixedClock) -> None:
    product = new_id()
    await shelve(stock, product, 5)
    for _ in range(3):
        await stock.deliver(a_fulfillment_requested_custom(product_id=product))
    async with stock.database.transaction() as transaction:
        await transaction.execute(sa.update(stock_levels).values(version=0))
    clock.advance(60)

    await stock.deliver(a_fulfillment_requested_custom(product_id=product))

    versions = [m.level.version for m in await stock.sent(StockUpdated) if m.level]
    assert len(versions) > 1
    assert versions == sorted(set(versions))
