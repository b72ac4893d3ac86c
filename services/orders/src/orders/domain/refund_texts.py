"""What the buyer reads about money that is owed back: on the pages and in mails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from orders.domain.money_text import money_text
from orders.domain.refund import Destination, News, Refund, RefundState
from orders.domain.refund_address import COINS

DUE_MAIL: Final = "refund_due"
ADDRESS_MAIL: Final = "refund_address"
SENT_MAIL: Final = "refund_sent"

_STATE_TEXT: Final = {
    RefundState.DUE: "It is owed to you. Please tell us where to send it.",
    RefundState.ADDRESS_GIVEN: (
        "We have your address and will send it there. You can change the address until then."
    ),
    RefundState.SENT: "It was sent to you.",
}
_DO_NOT_FORWARD: Final = (
    "Whoever has this link can say where the money goes: please do not forward this mail."
)
_TELL_US: Final = (
    "Please open this link and tell us the address of your wallet. "
    "We send it by hand, and you get a mail with the transaction."
)
_NOT_YOU: Final = (
    "If that was not you, or the address is wrong, change it now: "
    "it can be changed until the money is sent."
)


@dataclass(frozen=True, slots=True)
class MailLink:
    """A page of the shop, and why its link is the buyer's alone; the token stands after `#`."""

    url: str = field(repr=False)
    text: str
    caution: str


@dataclass(frozen=True, slots=True)
class MailText:
    """One mail; `key` names what it is about, so that it is sent once."""

    kind: str
    key: str
    subject: str
    paragraphs: Sequence[str]
    link: MailLink | None = None

    @property
    def text(self) -> str:
        """The plain form."""
        parts = [*self.paragraphs, *([self.link.url, self.link.caution] if self.link else [])]
        return "\n\n".join(parts) + "\n"

    @property
    def html(self) -> str:
        """The same for mail programs that prefer it; everything from outside is escaped."""
        parts = [f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in self.paragraphs]
        if self.link:
            href, text = escape(self.link.url, quote=True), escape(self.link.text)
            parts += [f'<p><a href="{href}">{text}</a></p>', f"<p>{self.link.caution}</p>"]
        head = '<html lang="en"><head><meta charset="utf-8"></head><body>'
        return f"<!doctype html>{head}{''.join(parts)}</body></html>"


def amount_words(refund: Refund) -> str:
    """How much, and in what."""
    if refund.currency is None:
        return f"{money_text(refund.amount)} of a coin that we are finding out"
    return f"{money_text(refund.amount)} {refund.currency.upper()}"


def refund_text(refund: Refund) -> str:
    """One sentence or two about where it is, without the address."""
    sent = f" Transaction: {refund.tx_hash}" if refund.is_sent else ""
    return f"{amount_words(refund)} for {refund.subject}. {_STATE_TEXT[refund.state]}{sent}"


def refund_mails(news: News, url: str) -> Iterator[MailText]:
    """The mails about these steps, at most one a step and address; `url` is the refund's page."""
    link = MailLink(url, "Open your refund", _DO_NOT_FORWARD)
    if news.due:
        yield _due(news.due, link)
    by_address: dict[tuple[Destination | None, int], list[Refund]] = {}
    for refund in news.address_given:
        by_address.setdefault((refund.destination, refund.address_version), []).append(refund)
    for (destination, version), refunds in by_address.items():
        if destination is not None:
            yield _address_given(refunds, destination, version, link)
    by_transaction: dict[str | None, list[Refund]] = {}
    for refund in news.sent:
        by_transaction.setdefault(refund.tx_hash, []).append(refund)
    for tx_hash, refunds in by_transaction.items():
        yield _sent(refunds, tx_hash, link)


def _due(refunds: Sequence[Refund], link: MailLink) -> MailText:
    return MailText(
        DUE_MAIL,
        _key(refunds),
        "We owe you money back",
        [
            "Hello,",
            "this part of what you paid is owed back to you:",
            _listed(refunds),
            _TELL_US,
        ],
        link,
    )


def _address_given(
    refunds: Sequence[Refund], destination: Destination, version: int, link: MailLink
) -> MailText:
    coin = COINS[destination.coin]
    return MailText(
        ADDRESS_MAIL,
        f"{_key(refunds)}.{version}",
        "We have the address for your refund",
        [
            "Hello,",
            f"we will send your refund in {coin.name} on {coin.network} to this address:",
            destination.address,
            _listed(refunds),
            _NOT_YOU,
        ],
        link,
    )


def _sent(refunds: Sequence[Refund], tx_hash: str | None, link: MailLink) -> MailText:
    return MailText(
        SENT_MAIL,
        _key(refunds),
        "Your refund was sent",
        ["Hello,", "we have sent you:", _listed(refunds), f"Transaction: {tx_hash}"],
        link,
    )


def _listed(refunds: Sequence[Refund]) -> str:
    return "\n".join(f"- {amount_words(refund)} for {refund.subject}" for refund in refunds)


def _key(refunds: Sequence[Refund]) -> str:
    return f"{refunds[0].order_id}.{refunds[0].id}"
