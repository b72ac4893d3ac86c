import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from stack import ports
from stack.errors import PortBusy, StackError


@pytest.fixture
def shift(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setenv("BITLOOT_PORT_SHIFT", "21000")
    yield 21000
    assert os.environ["BITLOOT_PORT_SHIFT"] == "21000"


def test_ports_are_shifted_together(shift: int) -> None:
    assert ports.fixed_ports() == {name: port + shift for name, port in ports.FIXED_PORTS.items()}


def test_busy_port_is_named_with_the_remedy(shift: int) -> None:
    with socket.socket() as other:
        other.bind((ports.LOOPBACK, 8002 + shift))
        other.listen()

        with pytest.raises(PortBusy) as caught:
            ports.fixed_ports()

    assert str(caught.value) == (
        "port 29002 (orders) is used by another program: end that program, "
        "or move all ports of the stack, for example BITLOOT_PORT_SHIFT=100 make up"
    )


@pytest.mark.parametrize("text", ["many", "70000", "-9000"])
def test_impossible_shift_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITLOOT_PORT_SHIFT", text)

    with pytest.raises(StackError, match="BITLOOT_PORT_SHIFT"):
        ports.fixed_ports()


def test_free_port_is_below_the_ports_of_outgoing_connections() -> None:
    assert ports.free_port() < 32768


def test_free_ports_are_not_given_twice_while_nobody_listens_yet() -> None:
    given = [ports.free_port() for _ in range(50)]

    assert len(set(given)) == len(given)


def test_another_process_gets_other_ports() -> None:
    ask = "from stack.ports import free_port; print(*(free_port() for _ in range(50)))"
    ours = {ports.free_port() for _ in range(50)}

    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)

    assert ours.isdisjoint(map(int, answer.stdout.split()))
