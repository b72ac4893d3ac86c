"""What the buyer reads about a key that does not work: on the order page and in mails."""

from typing import Final

from orders.domain.bad_key import BadKeyCase, CaseState
from orders.domain.refund_texts import MailLink, MailText

RECEIVED_MAIL: Final = "bad_key_received"
REPLACED_MAIL: Final = "bad_key_replaced"
REJECTED_MAIL: Final = "bad_key_rejected"

_STATE_TEXT: Final = {
    CaseState.OPEN: "You have reported this key. A person looks into it and you get a mail.",
    CaseState.REPLACED: "You have reported this key. You get another one with a mail of its own.",
    CaseState.REFUNDED: (
        "You have reported this key. Its money is owed back to you: "
        "the link in our mail lets you say where to send it."
    ),
    CaseState.REJECTED: "You have reported this key, and we cannot accept that.",
}
_SAY_MORE: Final = "If you think that is wrong, please answer this mail. Never send us the key."
_DO_NOT_FORWARD: Final = (
    "Whoever has this link can see how your report stands: please do not forward this mail."
)


def case_text(case: BadKeyCase) -> str:
    """A sentence or two about where the case is; a refusal with its reason."""
    why = f" {case.resolution}" if case.state is CaseState.REJECTED and case.resolution else ""
    return f"{_STATE_TEXT[case.state]}{why}"


def received_mail(case: BadKeyCase, title: str, url: str) -> MailText:
    """The report has arrived; `url` is the page of the order, which shows where the case is."""
    said = (
        f"we have your report that the key of {title} does not work.",
        "A person looks into it, and you get a mail about what comes of it.",
    )
    return _mail(RECEIVED_MAIL, case, "We have your report about a key", url, *said)


def resolved_mail(case: BadKeyCase, title: str, url: str) -> MailText | None:
    """What came of it; None for a refund, whose own mails say it."""
    if case.state is CaseState.REPLACED:
        said = (
            f"you get another key of {title} instead of the one that does not work.",
            "Its link comes with a mail of its own.",
        )
        return _mail(REPLACED_MAIL, case, "You get another key", url, *said)
    if case.state is CaseState.REJECTED:
        said = (
            f"we cannot accept your report about the key of {title}, for this reason:",
            case.resolution or "",
        )
        return _mail(REJECTED_MAIL, case, "About the key that you reported", url, *said, _SAY_MORE)
    return None


def _mail(kind: str, case: BadKeyCase, subject: str, url: str, *said: str) -> MailText:
    link = MailLink(url, "Open your order", _DO_NOT_FORWARD)
    return MailText(kind, f"{case.order_id}.{case.id}", subject, ["Hello,", *said], link)
