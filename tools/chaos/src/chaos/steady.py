"""Settings under which a battery runs: nothing that reacts to a day of faults changes the shop."""

from collections.abc import Mapping
from typing import Final

Settings = Mapping[str, Mapping[str, str]]
"""What is added to the environment, by service."""

_NO_STEPS_BACK: Final[Settings] = {"orders": {"ROLLOUT_SUCCESS_PERCENT": "0"}}
"""After fifty lines with faults the rollout guard would, rightly, send what is bought at Kinguin to
own stock, where nobody uploads it: the runs after that would not meet Kinguin any more."""


def steady(more: Settings) -> Settings:
    """Those settings, and these."""
    return {
        name: {**_NO_STEPS_BACK.get(name, {}), **more.get(name, {})}
        for name in {**_NO_STEPS_BACK, **more}
    }
