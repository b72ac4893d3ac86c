"""A pytest plugin: the port tests against the real outside, where somebody gave credentials.

`make contract-check` sets CONTRACT_CHECK and runs the tests marked `contract`, those of the
parameter `real` among them, and nothing else; every other run leaves them out. Each call is
announced with what it costs before it is made.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NoReturn

import boto3
import pytest

from stack.endpoints import ObjectStore

ASKED: Final = "CONTRACT_CHECK"
REAL: Final = "real"
_PATIENCE_S: Final = 600
"""Kinguin may take minutes for a key, and the gateway's sandbox for a payment."""
Announce = Callable[[str, str], None]
"""Takes a call and what it costs."""
WatchS3 = Callable[[Any], None]
"""Takes a boto client."""

R2_VARIABLES: Final = (
    "CONTRACT_R2_ENDPOINT_URL",
    "CONTRACT_R2_BUCKET",
    "CONTRACT_R2_ACCESS_KEY_ID",
    "CONTRACT_R2_SECRET_ACCESS_KEY",
)
_R2_PRICES: Final = {
    "PutObject": "a class A operation, 4.50 USD a million",
    "GetObject": "a class B operation, 0.36 USD a million",
    "HeadObject": "a class B operation, 0.36 USD a million",
    "HeadBucket": "a class B operation, 0.36 USD a million",
    "ListObjectsV2": "a class A operation, 4.50 USD a million",
    "DeleteObject": "free",
}
"""Cloudflare's prices beyond the free tier, developers.cloudflare.com/r2/pricing."""


REAL_PARAM: Final = pytest.param(
    REAL, marks=[pytest.mark.contract, pytest.mark.timeout(_PATIENCE_S)]
)
"""One more parameter of a port's tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Only the contract check, or all but it."""
    is_asked = bool(os.environ.get(ASKED))
    others = [item for item in items if bool(item.get_closest_marker("contract")) != is_asked]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in set(others)]


def credentials(*names: str) -> Mapping[str, str]:
    """The variables of a real endpoint, or the test is skipped and says which are not set."""
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        pytest.skip(f"not checked: set {', '.join(missing)}")
    return {name: os.environ[name] for name in names}


def only_simulated(what: str) -> NoReturn:
    """Skip a test that needs to order the other side about."""
    pytest.skip(f"nobody can order {what} at the real endpoint")


@pytest.fixture
def announce(request: pytest.FixtureRequest) -> Announce:
    """Print a call and its price, past pytest's capturing."""
    reporter: Any = request.config.pluginmanager.getplugin("terminalreporter")

    def say(call: str, price: str) -> None:
        reporter.ensure_newline()
        reporter.write_line(f"  {call}: {price}")

    return say


@pytest.fixture
def watch_s3(request: pytest.FixtureRequest, announce: Announce) -> WatchS3:
    """Announce every call of a boto client, where the test is against R2."""

    def say(event_name: str, **_: Any) -> None:
        operation = event_name.rpartition(".")[2]
        announce(f"R2 {operation}", _R2_PRICES.get(operation, "nobody looked up its price"))

    def watch(client: Any) -> None:
        if request.node.get_closest_marker("contract"):
            client.meta.events.register("before-send.s3", say)

    return watch


@pytest.fixture
def real_r2(watch_s3: WatchS3) -> Iterator[ObjectStore]:
    """An R2 bucket that is empty, and is emptied again."""
    named = credentials(*R2_VARIABLES)
    endpoint, bucket, key_id, secret = (named[name] for name in R2_VARIABLES)
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        region_name="auto",
    )
    watch_s3(client)
    if _names(client, bucket):
        pytest.fail(f"CONTRACT_R2_BUCKET {bucket} holds objects: name one made for this check")
    yield ObjectStore(endpoint, bucket, key_id, secret, "auto")
    for name in _names(client, bucket):
        client.delete_object(Bucket=bucket, Key=name)


def _names(client: Any, bucket: str) -> list[str]:
    return [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", ())]
