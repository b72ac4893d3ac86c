"""Which TCP ports the stack uses: fixed ones for what people open, free ones for the rest.

Everything listens on 127.0.0.1. `BITLOOT_PORT_SHIFT` moves the fixed ports (interfaces.md).
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle, islice
from pathlib import Path

from stack.errors import PortBusy, StackError

LOOPBACK = "127.0.0.1"
_HIGHEST_PORT = 65535
_FREE_RANGE = (15000, 32000)
_SLICE = 100

FIXED_PORTS = {
    "storefront": 8000,
    "payments": 8001,
    "orders": 8002,
    "fulfillment-custom": 8003,
    "fulfillment-kinguin": 8004,
    "delivery": 8005,
    "nowpayments-simulator": 9001,
    "kinguin-simulator": 9002,
}


def free_port() -> int:
    """A port that nobody listens on, below those that outgoing connections are given.

    A service that was killed must find its port still free when it starts again; in the
    ephemeral range (from 32768 on Linux) a client's connection could have taken it.

    Raises:
        StackError: too many ports are taken.
    """
    port = next((pick for pick in islice(_own_ports(), _SLICE) if not is_busy(pick)), None)
    if port is None:
        raise StackError(f"no free port found between {_FREE_RANGE[0]} and {_FREE_RANGE[1]}")
    return port


@cache
def _own_ports() -> Iterator[int]:
    """Ports that no other process of ours hands out, round and round.

    A port is free until somebody listens on it, which takes a while: two processes that
    only look would give the same one away. The lock ends with this process.
    """
    starts = list(range(*_FREE_RANGE, _SLICE))
    random.SystemRandom().shuffle(starts)
    for start in starts:
        if _is_locked(Path(tempfile.gettempdir()) / f"bitloot-ports-{start}.lock"):
            return cycle(range(start, start + _SLICE))
    raise StackError("too many stacks run at once: end some of them")


def _is_locked(path: Path) -> bool:
    """Whether this process holds the file's lock now; not if another has it, or owns the file."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT)  # open until this process ends
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return False
    return True


def is_busy(port: int) -> bool:
    """Whether a server could not listen on `port` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def port_shift() -> int:
    """`BITLOOT_PORT_SHIFT`, 0 if unset.

    Raises:
        StackError: it is not a number, or moves a port out of range.
    """
    text = os.environ.get("BITLOOT_PORT_SHIFT", "").strip() or "0"
    lowest, highest = min(FIXED_PORTS.values()), max(FIXED_PORTS.values())
    if not text.lstrip("-").isdigit():
        raise StackError(f"BITLOOT_PORT_SHIFT must be a whole number, not {text!r}")
    if not 1024 - lowest <= int(text) <= _HIGHEST_PORT - highest:
        raise StackError(
            f"BITLOOT_PORT_SHIFT={text} moves ports out of range: "
            f"use {1024 - lowest} to {_HIGHEST_PORT - highest}"
        )
    return int(text)


def fixed_ports() -> dict[str, int]:
    """The ports people know, shifted.

    Raises:
        PortBusy: one of them is taken.
    """
    shift = port_shift()
    ports = {name: port + shift for name, port in FIXED_PORTS.items()}
    for name, port in ports.items():
        if is_busy(port):
            raise PortBusy(port, name)
    return ports


def free_ports() -> dict[str, int]:
    """The same names on free ports, for a stack beside another one."""
    return {name: free_port() for name in FIXED_PORTS}
