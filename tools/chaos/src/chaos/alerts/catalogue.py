"""Which fault makes which alert fire, and which alerts no fault on one machine can make.

A test demands that every alert of `deploy/observability/rules` is in one of both.
"""

from collections.abc import Mapping
from typing import Final

ALWAYS: Final = "Watchdog"

FAULTS: Final[Mapping[str, str]] = {
    "PaidOrderStuck/custom": "a paid line of a product without a key",
    "PaidOrderStuck/kinguin": "Kinguin keeps a paid order in processing",
    "StockRunsOut": "a product on sale without a key",
    "OrderNeedsAttention": "money that does not fit its order",
    "UnderpaidOrderWaits": "half of an order is paid",
    "PaymentMismatched": "a payment of another price that names the order",
    "NotificationWithoutEffect": "a signed notification about an order that nobody knows",
    "SignatureFailures": "notifications with a forged signature, four a second",
    "BooksDiffer": "the gateway has a payment that was never notified; `bitloot reconcile`",
    "InvariantViolated": "fingerprints planted in a delivery; `bitloot verify`",
    "InvariantsNotChecked": "the bucket cannot be read: `bitloot verify` cannot check",
    "KeysNotStored": "the bucket answers 500",
    "JobsFailing": "the same: keys cannot be stored",
    "MailsWaiting": "the mail server is away",
    "JobsOverdue": "an open transaction holds the row of a due job",
    "MailRefused": "the mail server answers 550",
    "DeadLetters": "messages in every topic that nobody can read",
    "TargetDown": "the storefront stands still",
    "EventLoopBlocked": "fulfillment-custom gets no processor for 4.4 of every 6.5 s",
    "FiguresStale": "payments loses its database",
    "ServiceErrors": "the same: its webhook answers 503",
    "ErrorBudgetBurnsFast": "the same",
    "ErrorBudgetBurnsSlow": "the same",
    "ConsumerLags": "the same: an order comes that it cannot take",
    "OutboxStuck": "Kafka is away, and an order is placed",
    "ConsumerNotJoined": "a service that starts while Kafka is away",
    "SupplierFails": "Kinguin answers 500 to everything",
    "PurchaseUnknown": "Kinguin's answer to an order is lost, and then it answers 500",
    "BalanceUnknown": "Kinguin answers 500 to everything",
    "PurchasesWait": "the same, and then 401: a paid line cannot be bought",
    "SupplierRefusesUs": "Kinguin answers 401",
    "PurchaseNeedsAttention": "Kinguin does not know its own order any more (404)",
    "BalanceLow": "Kinguin's account holds 10 EUR",
    "ExchangeRateOld": "the stored exchange rate is of six days ago",
    "OffersStale": "the offers were looked at three hours ago, and the next look is put off",
}
"""By alert, or alert/source where there is one for each source of keys."""

NOT_MADE: Final[Mapping[str, str]] = {
    "RefundWaits": "a refund must be owed for two days: four hours with shortened times",
    "BadKeyCaseDue": "a reported key must wait for days: the moment stands in its row, and the "
    "tests of orders read the figure",
    "ServiceGone": "the targets of the embedded stack are a fixed list; a stopped container of the "
    "compose stack is found no more",
    "RolloutSteppedBack": "fifty lines must be bought first, most of them late; the guard's own "
    "tests count them",
}
"""By alert, why its fault cannot be made here."""
