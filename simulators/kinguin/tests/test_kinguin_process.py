import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

COMMAND = [sys.executable, "-m", "kinguin_simulator"]
KEYS = ["--api-key", "K", "--webhook-secret", "S"]
ORDER = {"offerId": "5f7e5f7e5f7e5f7e5f7e0001", "quantity": 1, "autoDeliver": True}


@contextmanager
def running(
    *arguments: str, stop_signal: signal.Signals = signal.SIGTERM
) -> Iterator[httpx.Client]:
    process = subprocess.Popen(
        [*COMMAND, *KEYS, "--port", "0", *arguments], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(": ", 1)[1].strip().removesuffix("/esa/api")
        with httpx.Client(base_url=url, headers={"x-api-key": "K"}, trust_env=False) as client:
            yield client
    finally:
        process.send_signal(stop_signal)
        process.communicate(timeout=10)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env=os.environ | environment,
    )


def test_help_names_the_options() -> None:
    finished = run("--help")

    assert finished.returncode == 0
    assert "--webhook-url" in finished.stdout
    assert "KINGUIN_SIMULATOR_API_KEY" in finished.stdout


@pytest.mark.parametrize("balance", ["a", "-1", "nan"])
def test_missing_and_wrong_options_are_one_clear_line(balance: str) -> None:
    missing = run("--api-key", "K")
    wrong = run(*KEYS, KINGUIN_SIMULATOR_BALANCE=balance)

    assert (missing.returncode, wrong.returncode) == (2, 2)
    assert "--webhook-secret" in missing.stderr
    assert "must be an amount" in wrong.stderr


def test_busy_port_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = run(*KEYS, "--port", str(port))

    assert finished.returncode == 2
    assert len(finished.stderr.splitlines()) == 1
    assert f"port {port}" in finished.stderr
    assert "--port" in finished.stderr


def test_dropped_answer_leaves_the_order_in_the_ledger() -> None:
    with running() as client:
        client.put("/_simulator/faults", json={"drop_answer_after_work": 1})

        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/v1/orders", json=ORDER | {"externalId": "line-1"})
        refused = client.post("/v1/orders", json=ORDER | {"externalId": "line-1"})
        answered = client.post("/v1/orders", json=ORDER | {"externalId": "line-2"})
        ledger = client.get("/_simulator/ledger").json()

    assert (refused.status_code, answered.status_code) == (422, 201)
    assert [row["external_id"] for row in ledger["orders"]] == ["line-1", "line-2"]


def test_refused_order_does_not_use_up_a_dropped_answer() -> None:
    with running() as client:
        client.put("/_simulator/faults", json={"drop_answer_after_work": 1})

        refused = client.post("/v1/orders", json=ORDER | {"quantity": 2})
        with pytest.raises(httpx.RemoteProtocolError):
            client.post("/v1/orders", json=ORDER)

    assert refused.status_code == 400


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGKILL])
def test_ledger_stock_and_balance_outlive_the_process(
    tmp_path: Path, stop_signal: signal.Signals
) -> None:
    state = ("--state", str(tmp_path / "state.jsonl"), "--stock", "1", "--balance", "100")
    with running(*state, stop_signal=stop_signal) as client:
        order = client.post("/v1/orders", json=ORDER | {"externalId": "kept"}).json()

    with running(*state) as client:
        ledger = client.get("/_simulator/ledger").json()
        balance = client.get("/esa/api/v1/balance").json()["balance"]
        again = client.post("/v1/orders", json=ORDER)

    assert [row["order_id"] for row in ledger["orders"]] == [order["id"]]
    assert balance == pytest.approx(100 - ledger["orders"][0]["price_charged"])
    assert again.json()["kind"] == "ProductUnavailable"
