"""Orders and own stock side by side, each on a real database of its own."""

from collections.abc import Callable

import pytest
from servicekit.testing import migrated


@pytest.fixture(scope="module")
def urls(new_database: Callable[..., str]) -> tuple[str, str]:
    """Empty databases of orders and of own stock."""
    return migrated("orders", new_database()), migrated("fulfillment_custom", new_database())
