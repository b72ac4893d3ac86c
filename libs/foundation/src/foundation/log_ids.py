"""Which order, message and piece of work a log line is about.

Everything logged inside `log_ids` carries the ids, libraries' lines too. Ids alone: addresses,
keys and amounts have no place here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from structlog import contextvars


@contextmanager
def log_ids(**ids: object) -> Iterator[None]:
    """Put ids on every line until the end; None is left out, what is added inside goes as well."""
    before = dict(contextvars.get_contextvars())
    add_log_ids(**ids)
    try:
        yield
    finally:
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(**before)


def add_log_ids(**ids: object) -> None:
    """Put further ids on the lines of the enclosing `log_ids`, once they are known."""
    contextvars.bind_contextvars(**{name: str(it) for name, it in ids.items() if it is not None})


def current_log_ids() -> Mapping[str, str]:
    """What lines carry now, for work that goes on elsewhere."""
    return dict(contextvars.get_contextvars())
