"""Keys of a line arrive: one delivery a line, whatever comes twice."""

from contracts import DeliveryState, KeyReady
from foundation.clock import Clock
from persistence.database import Transaction
from servicekit.jobs import schedule

from delivery.adapters import delivery_repository
from delivery.adapters.publish_delivery_updated import publish_delivery_updated
from delivery.domain.delivery import Delivery, State

STORE = "store"
GIVEN_TO_ANOTHER = "a key that another buyer has came for this line"


class ReceiveKeys:
    """Takes the sealed keys in; storing them is a job."""

    def __init__(self, clock: Clock, reveals: int) -> None:
        self._clock = clock
        self._reveals = reveals

    async def __call__(self, transaction: Transaction, message: KeyReady) -> None:
        """Start a delivery, or compare with the one there is."""
        await delivery_repository.serialise(transaction, message.line_id)
        delivery = await delivery_repository.add(transaction, message)
        if delivery is None:
            await self._compare(transaction, message)
        elif await delivery_repository.is_buried(transaction, message.line_id):
            delivery.move(State.VOIDED)
            await self._publish(transaction, delivery, reason="not revealed", revealed=False)
        elif await delivery_repository.is_given_to_another(transaction, delivery):
            # Stock that was restored from a backup knows nothing of what it gave since.
            delivery.move(State.NEEDS_ATTENTION)
            await self._publish(transaction, delivery, reason=GIVEN_TO_ANOTHER)
        else:
            await schedule(transaction, STORE, delivery.id, self._clock.now())

    async def _compare(self, transaction: Transaction, message: KeyReady) -> None:
        known = await delivery_repository.of_line(transaction, message.line_id)
        if known is None:
            raise RuntimeError("a delivery vanished under its unique line")
        if set(known.fingerprints) != {key.fingerprint for key in message.keys}:
            await delivery_repository.dispute(transaction, message)
            await self._publish(
                transaction,
                known,
                state=DeliveryState.NEEDS_ATTENTION,
                reason="other keys came for a line that has its keys",
            )
        elif known.state is State.NEEDS_ATTENTION:
            await self._try_again(transaction, known)
        elif known.state is not State.RECEIVED:
            revealed = known.was_revealed if known.state is State.VOIDED else None
            await self._publish(transaction, known, revealed=revealed)  # asked again: answer again

    async def _try_again(self, transaction: Transaction, known: Delivery) -> None:
        """A person has looked, say after adding a missing key to a ring."""
        if await delivery_repository.is_given_to_another(transaction, known):
            await self._publish(transaction, known, reason=GIVEN_TO_ANOTHER)
            return
        known.move(State.RECEIVED)
        await delivery_repository.save(transaction, known)
        await schedule(transaction, STORE, known.id, self._clock.now())

    async def _publish(
        self,
        transaction: Transaction,
        delivery: Delivery,
        state: DeliveryState | None = None,
        reason: str | None = None,
        *,
        revealed: bool | None = None,
    ) -> None:
        await publish_delivery_updated(
            transaction,
            delivery,
            self._clock.now(),
            reveals=self._reveals,
            state=state,
            reason=reason,
            revealed=revealed,
        )
