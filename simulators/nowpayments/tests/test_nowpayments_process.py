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

COMMAND = [sys.executable, "-m", "nowpayments_simulator"]
KEYS = ["--api-key", "K", "--ipn-secret", "S"]


@contextmanager
def running(state: Path, stop_signal: signal.Signals) -> Iterator[httpx.Client]:
    process = subprocess.Popen(
        [*COMMAND, *KEYS, "--port", "0", "--state", str(state)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split(": ", 1)[1].strip().removesuffix("/v1")
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
    assert "--ipn-secret" in finished.stdout
    assert "NOWPAYMENTS_SIMULATOR_API_KEY" in finished.stdout


def test_missing_and_wrong_options_are_one_clear_line() -> None:
    missing = run("--ipn-secret", "S")
    wrong = run(*KEYS, NOWPAYMENTS_SIMULATOR_PORT="abc")

    assert (missing.returncode, wrong.returncode) == (2, 2)
    assert "--api-key" in missing.stderr
    assert "must be a number" in wrong.stderr


def test_busy_port_is_one_line_that_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = run(*KEYS, "--port", str(port))

    assert finished.returncode == 2
    assert len(finished.stderr.splitlines()) == 1
    assert f"port {port}" in finished.stderr
    assert "--port" in finished.stderr


def test_unreadable_state_file_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    state = tmp_path / "state.jsonl"
    state.write_text("no ledger\n")

    finished = run(*KEYS, "--port", "0", "--state", str(state))

    assert finished.returncode == 2
    assert "move the file away" in finished.stderr


@pytest.mark.parametrize("stop_signal", [signal.SIGTERM, signal.SIGKILL])
def test_ledger_outlives_the_process(tmp_path: Path, stop_signal: signal.Signals) -> None:
    state = tmp_path / "state.jsonl"
    with running(state, stop_signal) as client:
        body = {"price_amount": 5, "price_currency": "usd", "order_id": "kept"}
        invoice = client.post("/v1/invoice", json=body).json()

    with running(state, signal.SIGTERM) as client:
        ledger = client.get("/_simulator/ledger").json()

    assert [row["invoice_id"] for row in ledger["invoices"]] == [invoice["id"]]
