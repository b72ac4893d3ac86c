import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from stack.demo import sell_both
from stack.errors import AlreadyRunning
from stack.parts.probes import http_answers
from stack.plan import SERVICES
from stack.ports import FIXED_PORTS, is_busy
from stack.processes import Identity, ProcessFolder, run_to_end, spawn
from stack.running import owning
from stack.stack_env import read_stack_env
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

NAMES = (
    *("STOREFRONT_URL", "PAYMENTS_URL", "ORDERS_URL", "DELIVERY_URL"),
    *("FULFILLMENT_CUSTOM_URL", "FULFILLMENT_KINGUIN_URL"),
    *("NOWPAYMENTS_SIMULATOR_URL", "KINGUIN_SIMULATOR_URL"),
    *("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_KIND"),
    *("S3_ENDPOINT_URL", "S3_BUCKET", "S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY"),
    *("NOWPAYMENTS_IPN_SECRET", "KINGUIN_WEBHOOK_SECRET", "ADMIN_TOKEN"),
    *("PAYMENTS_DATABASE_URL", "ORDERS_DATABASE_URL", "DELIVERY_DATABASE_URL"),
    *("FULFILLMENT_CUSTOM_DATABASE_URL", "FULFILLMENT_KINGUIN_DATABASE_URL"),
)


def wait_until(is_true: Callable[[], bool], within_s: float) -> float:
    """The seconds until it was true."""
    began = time.monotonic()
    while not is_true():
        assert time.monotonic() - began < within_s
        time.sleep(0.05)
    return time.monotonic() - began


async def test_customer_gets_one_key_from_stock_and_one_from_kinguin(stack: RunningStack) -> None:
    receipts = await sell_both(stack.variables)

    assert [receipt.source for receipt in receipts] == ["custom", "kinguin"]


def test_every_name_that_outside_checks_rely_on_has_a_value(stack: RunningStack) -> None:
    assert [name for name in NAMES if not stack.variables.get(name)] == []


@pytest.mark.parametrize("name", SERVICES)
def test_killed_service_runs_again_within_two_seconds_and_answers(
    stack: RunningStack, name: str
) -> None:
    before = ProcessFolder(stack.folder).living(name)
    url = stack[f"{name.replace('-', '_').upper()}_URL"]

    stack.kill(name)

    def is_replaced() -> bool:
        now = ProcessFolder(stack.folder).living(name)
        return now is not None and now != before

    assert wait_until(is_replaced, 2) < 2
    wait_until(lambda: http_answers(f"{url}/health/ready"), 30)


def free_shift() -> str:
    """A shift of the fixed ports that takes none of a stack that runs beside this test."""
    for shift in random.SystemRandom().sample(range(1500, 5900, 10), k=200):
        if not any(is_busy(port + shift) for port in FIXED_PORTS.values()):
            return str(shift)
    raise AssertionError("no free shift of the ports")


embedded_only = pytest.mark.skipif(
    os.environ.get("STACK") == "containers", reason="`make up` is always embedded"
)


@pytest.fixture(scope="module")
def shift() -> str:
    """The ports' shift in the tests of `make up`."""
    return free_shift()


@pytest.fixture(scope="module")
def make_up(
    tmp_path_factory: pytest.TempPathFactory, shift: str
) -> Iterator[tuple[Identity, Path]]:
    """`python -m stack up` in a process of its own, as `make up` runs it."""
    folder = tmp_path_factory.mktemp("up") / ".stack"
    folder.mkdir()
    command = [sys.executable, "-m", "stack", "up", "--folder", str(folder)]
    with (folder / "console").open("wb") as console:
        environment = os.environ | {"BITLOOT_PORT_SHIFT": shift}
        child = spawn(command, environment, output=console)
    identity = Identity.of(child.pid)
    assert identity is not None
    wait_until(lambda: read_stack_env(folder) is not None or child.poll() is not None, 120)
    assert child.poll() is None, (folder / "console").read_text()
    yield identity, folder
    identity.stop(grace_s=60)


@embedded_only
@pytest.mark.xdist_group("stack")
def test_up_serves_on_the_known_ports_and_a_second_one_is_refused(
    make_up: tuple[Identity, Path], shift: str
) -> None:
    identity, folder = make_up
    variables = read_stack_env(folder) or {}

    assert variables["ORDERS_URL"] == f"http://127.0.0.1:{8002 + int(shift)}"
    assert (folder / "stack.env").stat().st_mode & 0o777 == 0o600
    with pytest.raises(AlreadyRunning, match=str(identity.pid)), owning(folder):
        pass


@embedded_only
@pytest.mark.xdist_group("stack")
@pytest.mark.usefixtures("make_up")
def test_busy_port_ends_up_with_one_plain_message(tmp_path: Path, shift: str) -> None:
    command = [sys.executable, "-m", "stack", "up", "--folder", str(tmp_path)]

    answer = run_to_end(
        command, environment=os.environ | {"BITLOOT_PORT_SHIFT": shift}, deadline_s=60
    )

    assert answer.returncode == 1
    assert f"port {8000 + int(shift)} (storefront) is used by another program" in answer.stdout
    assert "Traceback" not in answer.stdout + answer.stderr


@embedded_only
@pytest.mark.xdist_group("stack")
def test_sigterm_ends_everything_and_down_finds_nothing_left(tmp_path: Path) -> None:
    folder = tmp_path / ".stack"
    folder.mkdir()
    command = [sys.executable, "-m", "stack", "up", "--folder", str(folder)]
    child = spawn(command, os.environ | {"BITLOOT_PORT_SHIFT": free_shift()})
    wait_until(lambda: (folder / "pids" / "orders.pid").exists() or child.poll() is not None, 120)

    child.send_signal(signal.SIGTERM)

    assert child.wait(90) == 0
    assert processes_of(folder) == []
    assert read_stack_env(folder) is None


def processes_of(folder: Path) -> list[str]:
    """The command lines of living processes that name the folder."""
    seen = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(folder) in line:
            seen.append(line)
    return seen
