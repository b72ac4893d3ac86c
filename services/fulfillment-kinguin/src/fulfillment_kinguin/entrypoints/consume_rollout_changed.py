"""Consume `rollout.changed`: may anything new be bought.

Group `fulfillment-kinguin`, one constant key, at least once; a higher version wins.
"""

from contracts import RolloutChanged
from servicekit.consumer import Consumer, GiveUp

from fulfillment_kinguin.handlers.change_rollout import ApplyRollout


def rollout_changed_consumer(handler: ApplyRollout, give_up: GiveUp) -> Consumer[RolloutChanged]:
    """The consumer of this topic."""
    return Consumer(RolloutChanged, group="fulfillment-kinguin", handle=handler, give_up=give_up)
