"""The contract check itself: loud without credentials, and nothing is called unannounced."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
GATEWAY = "services/payments/tests/integration/test_gateway_port.py"
LOGIN = {"API_KEY": "a-key-for-this-test", "EMAIL": "shop@bitloot.test", "PASSWORD": "a-password"}


def check(**variables: str) -> str:
    ours = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-p", "no:randomly", GATEWAY],
        cwd=ROOT,
        env=ours | {"CONTRACT_CHECK": "1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout


@pytest.fixture
def gateway() -> Iterator[dict[str, str]]:
    """The gateway's simulator, as the contract check is told of the real one."""
    options = {f"NOWPAYMENTS_SIMULATOR_{name}": value for name, value in LOGIN.items()}
    options["NOWPAYMENTS_SIMULATOR_IPN_SECRET"] = "a-secret-of-this-test"
    with subprocess.Popen(
        [sys.executable, "-m", "nowpayments_simulator", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | options,
    ) as process:
        assert process.stdout
        url = process.stdout.readline().split(": ", 1)[1].strip()
        yield {f"CONTRACT_NOWPAYMENTS_{name}": value for name, value in LOGIN.items()} | {
            "CONTRACT_NOWPAYMENTS_API_URL": url
        }
        process.terminate()


def test_without_credentials_nothing_is_called_and_all_that_is_missing_is_named() -> None:
    said = check()

    assert "10 skipped" in said
    assert "passed" not in said
    assert "set CONTRACT_NOWPAYMENTS_API_URL, CONTRACT_NOWPAYMENTS_API_KEY" in said
    assert "NOWPayments POST" not in said


def test_with_credentials_calls_are_announced_and_the_rest_says_why_it_is_not_made(
    gateway: dict[str, str],
) -> None:
    said = check(**gateway)

    assert "6 passed" in said
    assert "NOWPayments POST /v1/invoice: free; nobody pays these invoices" in said
    assert "nobody can order a payment at the real endpoint" in said
    assert LOGIN["API_KEY"] not in said
