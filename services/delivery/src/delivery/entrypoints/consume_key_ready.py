"""Consume `key.ready`: the keys of a line.

Group `delivery`, at least once; the inbox and one delivery a line make it once.
"""

from contracts import KeyReady
from servicekit.consumer import Consumer, GiveUp

from delivery.handlers.receive_keys import ReceiveKeys


def key_ready_consumer(handler: ReceiveKeys, give_up: GiveUp) -> Consumer[KeyReady]:
    """The consumer of this topic."""
    return Consumer(KeyReady, group="delivery", handle=handler, give_up=give_up)
