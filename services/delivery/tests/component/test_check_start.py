"""What delivery refuses to start with, and what it starts in spite of."""

from pathlib import Path

import pytest
from delivery.adapters.ring_key_provider import RingKeyProvider
from delivery.bootstrap import check_start
from delivery.errors import KeyStoreMisconfigured, KeyStoreUnavailable
from delivery.handlers.check_start import CheckStart
from delivery.settings import DeliverySettings
from delivery.testing import InMemoryKeyStore, some_keys, some_settings
from foundation.refusals import Refusal
from foundation.sealing import new_ring
from foundation.settings import SecretRing
from servicekit.testing import ServiceHarness


def new_keks() -> SecretRing:
    return SecretRing.parse(new_ring())


def check(delivery: ServiceHarness, keks: SecretRing, store: InMemoryKeyStore) -> CheckStart:
    return CheckStart(delivery.database, RingKeyProvider(keks), store)


def keks_of(settings: DeliverySettings) -> SecretRing:
    assert settings.keks is not None
    return settings.keks


@pytest.fixture
async def stored(delivery: ServiceHarness) -> ServiceHarness:
    """Delivery after it has stored something."""
    await delivery.deliver(some_keys("AAAA-1"))
    await delivery.run_jobs()
    return delivery


async def test_keys_that_open_everything_are_taken(
    stored: ServiceHarness, settings: DeliverySettings, store: InMemoryKeyStore
) -> None:
    rotated = SecretRing({**new_keks().to_dict(), **keks_of(settings).to_dict()})

    await check(stored, keks_of(settings), store)()
    await check(stored, rotated, store)()


async def test_any_keys_will_do_while_nothing_is_stored(
    delivery: ServiceHarness, store: InMemoryKeyStore
) -> None:
    await check(delivery, new_keks(), store)()


async def test_ring_without_a_key_that_is_needed_is_refused(
    stored: ServiceHarness, settings: DeliverySettings, store: InMemoryKeyStore
) -> None:
    others = SecretRing({"another": bytes(range(32))})

    with pytest.raises(Refusal, match="KEKS") as refused:
        await check(stored, others, store)()

    assert keks_of(settings).current_id in str(refused.value)
    assert "put that key back" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_other_key_under_a_known_id_is_refused(
    stored: ServiceHarness, settings: DeliverySettings, store: InMemoryKeyStore
) -> None:
    swapped = SecretRing({keks_of(settings).current_id: bytes(range(32))})

    with pytest.raises(Refusal, match="KEKS"):
        await check(stored, swapped, store)()


async def test_store_that_nobody_can_use_is_refused(
    delivery: ServiceHarness, store: InMemoryKeyStore
) -> None:
    store.failures.append(KeyStoreMisconfigured("no bucket: create it, or correct S3_BUCKET"))

    with pytest.raises(Refusal, match="correct S3_BUCKET"):
        await check(delivery, new_keks(), store)()


async def test_store_that_is_away_is_no_reason_to_stay_away(
    delivery: ServiceHarness, store: InMemoryKeyStore
) -> None:
    store.failures.append(KeyStoreUnavailable("timeout"))

    await check(delivery, new_keks(), store)()


async def test_key_file_that_is_missing_is_named(delivery: ServiceHarness, tmp_path: Path) -> None:
    url = delivery.service.settings.database_url.get_secret_value()
    file = tmp_path / "keks"

    with pytest.raises(Refusal, match=f"KEKS_FILE={file}"):
        await check_start(some_settings(url, keks=None, keks_file=file), delivery.database)
