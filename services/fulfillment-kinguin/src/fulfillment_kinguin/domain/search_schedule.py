"""When an order counts as never placed: several empty searches, spread over two minutes.

An order can show up in the search some time after it was placed; posting again too early
would buy twice. The numbers are targets of our own: Kinguin promises nothing.
"""

from datetime import datetime, timedelta
from typing import Final

EMPTY_SEARCHES: Final = 3
SPREAD: Final = timedelta(seconds=120)
FIRST_SEARCH: Final = timedelta(seconds=2)
INTERVAL: Final = timedelta(seconds=60)
GIVE_UP: Final = timedelta(hours=24)
"""A search that never gets an answer for so long is for a person."""
MAX_POSTS: Final = 5
"""After so many POSTs of one purchase without a clear answer a person decides."""


def was_never_placed(empty_searches: int, first_empty_at: datetime, now: datetime) -> bool:
    """Whether posting again with the same external id is safe; `now` is the last search's time."""
    return empty_searches >= EMPTY_SEARCHES and now - first_empty_at >= SPREAD
