"""Keys and secrets that change while selling goes on, or are not what they should be."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from foundation.sealing import new_key_pair

from chaos.faults import Fault, refused_to_start, zombie
from chaos.key_change import IPN_SECRETS
from chaos.payments_gone_wrong import reveals
from chaos.world import World

_KEKS: Final = "KEKS"


def keys_changed() -> Fault:
    """Replicas seal, encrypt and sign with new keys, beside processes that only know of them."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for service, told in world.next_keys.items():
                await stack.enter_async_context(world.replica(service, told))
            yield

    return during


def ipn_secret_changed() -> Fault:
    """NOWPayments signs with the next secret; one process knows both, a second only the next."""

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        told = world.next_keys["payments"]
        async with world.replica("payments", told):
            await world.simulator("nowpayments", ipn_secret=told[IPN_SECRETS])
            try:
                yield
            finally:
                await world.simulator("nowpayments")

    return during


def recipient_unknown(service: str) -> Fault:
    """While a service stands still, another process of it seals for a key that delivery lacks."""
    return zombie(service, {"HPKE_PUBLIC_KEY": new_key_pair().public})


def old_kek_missing() -> Fault:
    """A process of delivery that knows the next key only, where keys are stored under the old."""
    refused = refused_to_start("delivery", _only_next_kek, "put that key back into it")

    @asynccontextmanager
    async def during(world: World) -> AsyncIterator[None]:
        await reveals(world, "stored before its key is missing")
        async with refused(world):
            yield

    return during


def _only_next_kek(world: World) -> Mapping[str, str]:
    newest, _, _ = world.next_keys["delivery"][_KEKS].partition(",")
    return {_KEKS: newest}
