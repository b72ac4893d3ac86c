"""Settings under which a battery runs: nothing that reacts to a day of faults changes the shop."""

from collections.abc import Mapping
from typing import Final

Settings = Mapping[str, Mapping[str, str]]
"""What is added to the environment, by service."""

_NO_STEPS_BACK: Final[Settings] = {"orders": {"ROLLOUT_SUCCESS_PERCENT": "0"}}
"""After fifty lines with faults the rollout guard would, rightly, send what is bought at Kinguin to
own stock, where nobody uploads it: the runs after that would not meet Kinguin any more."""


_OFFERS_SEEN_OFTEN: Final[Settings] = {
    "fulfillment-kinguin": {"KINGUIN_OFFER_REFRESH_SECONDS": "60"}
}
"""Some orders meet a dear offer before it is known and some after; none waits for long."""


def steady(more: Settings) -> Settings:
    """Those settings, and these, which count where both name one."""
    merged: dict[str, dict[str, str]] = {}
    for settings in (_NO_STEPS_BACK, _OFFERS_SEEN_OFTEN, more):
        for service, told in settings.items():
            merged.setdefault(service, {}).update(told)
    return merged
