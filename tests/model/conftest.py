"""Services on real databases of their own."""

from collections.abc import Callable

import pytest
from servicekit.testing import migrated


@pytest.fixture(scope="module")
def urls(new_database: Callable[..., str]) -> tuple[str, str]:
    """Empty databases of orders and of own stock."""
    return migrated("orders", new_database()), migrated("fulfillment_custom", new_database())


@pytest.fixture(scope="module")
def kinguin_url(new_database: Callable[..., str]) -> str:
    """An empty database of fulfillment-kinguin."""
    return migrated("fulfillment_kinguin", new_database())
