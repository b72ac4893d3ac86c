"""What the operator reads when the rollout has gone back a step by itself."""

from typing import Final

from orders.domain.refund_texts import MailText
from orders.domain.rollout_guard import Tally
from orders.domain.routing import Rollout

STEPPED_BACK_MAIL: Final = "rollout_stepped_back"

_WHAT_TO_DO: Final = (
    "What to do stands in the runbook rollout-stepped-back. "
    "Set the percentage in the admin pages when the cause is mended."
)


def tally_words(tally: Tally) -> str:
    """The figures in one line."""
    return (
        f"{tally.in_time} of {tally.judged} lines had their key within 5 minutes "
        f"({tally.success_percent:.1f} %)"
    )


def stepped_back_mail(before: Rollout, after: Rollout, tally: Tally) -> MailText:
    """One mail a step: the version of the rollout names it."""
    return MailText(
        STEPPED_BACK_MAIL,
        f"rollout.{after.version}",
        f"Kinguin was taken back from {before.percent} to {after.percent} percent",
        [
            "Hello,",
            f"since the last step of the rollout, only {tally_words(tally)}.",
            _what_holds(before, after),
            _WHAT_TO_DO,
        ],
    )


def _what_holds(before: Rollout, after: Rollout) -> str:
    return (
        f"So Kinguin now serves {after.percent} percent of the products that it may serve, "
        f"and not {before.percent}. Orders that were placed before go on as they are."
    )
