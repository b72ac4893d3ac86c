"""The fault matrix as data: what is wrong, for how long, who orders meanwhile, how it may end.

`seconds` is the full length of a fault; a short cut may hold it for less. An order must end
in one of `ends`; anything else after ten minutes is a failure. Where the end looks like a stage
on the way, it must still be there `stays_s` seconds later.
"""

import signal
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from contracts import Topic
from stack.plan import SERVICES_WITH_DATABASE

from chaos import payments_gone_wrong as wrong
from chaos.faults import (
    Fault,
    clock_far_off,
    clock_jumps,
    clock_off,
    ended,
    kafka_away,
    kafka_paused,
    no_fault,
    postgres_away,
    rebalance_storm,
    refused_mail,
    simulator,
    spoilt,
    too_few_connections,
    zombie,
)
from chaos.key_faults import (
    ipn_secret_changed,
    keys_changed,
    old_kek_missing,
    recipient_unknown,
)
from chaos.mail_faults import MailFault
from chaos.payments_gone_wrong import Customer, behaves, buys, pays, reveals
from chaos.poison import poisoned
from chaos.restores import Restore
from chaos.server_faults import (
    DEADLOCK,
    DISK_FULL,
    SERIALIZATION_FAILURE,
    kafka_disk_full,
    topic_missing,
    writes_refused,
)
from chaos.tcp_proxy import Toxics

_DONE: Final = frozenset({"fulfilled"})
_OWED: Final = frozenset({"fulfilled", "refund_due", "needs_attention"})
_PERSON: Final = frozenset({"fulfilled", "needs_attention"})
# A completed order that lacks keys is asked for them for a day before a person is told. One that
# was bought after the fault has all its keys: the invariants tell these apart.
_LOST: Final = frozenset({"refund_due", "needs_attention"})
_WAITS: Final = frozenset({"fulfilling", "fulfilled"})
_UNDONE: Final = frozenset({"fulfilled", "refund_due"})
_UNPAID: Final = frozenset({"awaiting_payment"})


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the matrix.

    At least one order must come to an end among those in `bites`, if there are any, or nothing
    was proven; the fault is held until one has.
    """

    name: str
    fault: Fault
    seconds: float = 10.0
    ends: frozenset[str] = _DONE
    customer: Customer = behaves
    orders: int = 4
    stays_s: float = 0.0
    bites: frozenset[str] = frozenset()

    def has_bitten(self, statuses: Iterable[str]) -> bool:
        """Whether orders in these states show that the fault was there, if that must be seen."""
        return not self.bites or not self.bites.isdisjoint(statuses)


def _answer(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


_PROCESSES: Final = (
    *(Scenario(f"{s} killed", ended(s, signal.SIGKILL)) for s in SERVICES_WITH_DATABASE),
    *(Scenario(f"{s} ended", ended(s, signal.SIGTERM)) for s in SERVICES_WITH_DATABASE),
    *(Scenario(f"{s} zombie", zombie(s), 60.0) for s in SERVICES_WITH_DATABASE),
)
_CLOCKS_AND_KEYS: Final = (
    Scenario("payments clock ahead", clock_off("payments", 20), 20.0),
    Scenario(
        "kinguin clock behind", clock_off("fulfillment-kinguin", -20), 20.0, customer=buys("both")
    ),
    Scenario("delivery clock ahead", clock_off("delivery", 20), 20.0, customer=reveals),
    Scenario("delivery clock behind", clock_off("delivery", -20), 20.0, customer=reveals),
    Scenario("payments clock jumps", clock_jumps("payments", 20), 20.0),
    Scenario("orders clock jumps", clock_jumps("orders", 20), 20.0),
    Scenario(
        "kinguin clock jumps", clock_jumps("fulfillment-kinguin", 20), 20.0, customer=buys("both")
    ),
    Scenario("keys changed", keys_changed(), 20.0, customer=reveals),
    Scenario("keys lack an old kek", old_kek_missing(), 5.0, customer=reveals),
    Scenario(
        "keys for a stranger",
        recipient_unknown("fulfillment-kinguin"),
        20.0,
        _PERSON,
        buys("both"),
        bites=_LOST,
    ),
    Scenario("payments clock far ahead", clock_far_off("payments", 300), 5.0),
    Scenario("orders clock far behind", clock_far_off("orders", -300), 5.0),
    Scenario("ipn secret changed", ipn_secret_changed(), 20.0, customer=wrong.is_notified),
)
_KAFKA: Final = (
    Scenario("kafka restarted", kafka_away(at_once=False), 1.0),
    Scenario("kafka killed", kafka_away(at_once=True), 1.0),
    Scenario("kafka paused", kafka_paused(), 30.0),
    Scenario("kafka disk full", kafka_disk_full(), 20.0),
    Scenario("kafka away", kafka_away(at_once=False), 300.0),
    Scenario("payment.confirmed missing", topic_missing(Topic.PAYMENT_CONFIRMED), 15.0),
    Scenario("key.ready missing", topic_missing(Topic.KEY_READY), 15.0),
    Scenario("orders rebalances", rebalance_storm("orders"), 40.0),
    Scenario("delivery rebalances", rebalance_storm("delivery"), 40.0),
    Scenario("poison messages", poisoned(), 5.0),
)
_POSTGRES: Final = (
    Scenario("postgres restarted", postgres_away(at_once=False), 1.0),
    Scenario("postgres crashed", postgres_away(at_once=True), 1.0),
    Scenario("postgres away", spoilt("postgres", Toxics(is_down=True)), 60.0),
    Scenario("postgres reset in COMMIT", spoilt("postgres", Toxics(0.1, reset_after=b"COMMIT"))),
    Scenario("postgres reset in replies", spoilt("postgres", Toxics(0.02, reset_on_reply=True))),
    Scenario("postgres slow", spoilt("postgres", Toxics(latency_s=0.05))),
    Scenario("postgres deadlocks", writes_refused(DEADLOCK, 0.1), customer=buys("both")),
    Scenario("postgres serialization failures", writes_refused(SERIALIZATION_FAILURE, 0.1)),
    Scenario("postgres disk full", writes_refused(DISK_FULL, 0.9)),
    Scenario("payments one connection", too_few_connections("payments")),
    Scenario("orders one connection", too_few_connections("orders")),
)
_R2: Final = (
    Scenario("r2 503 for 30 %", spoilt("s3", Toxics(0.3, answer=_answer("503 Slow Down")))),
    Scenario("r2 500 always", spoilt("s3", Toxics(answer=_answer("500 Oops"))), 30.0),
    Scenario("r2 403", spoilt("s3", Toxics(answer=_answer("403 Forbidden"))), 10.0),
    Scenario("r2 stored and reset", spoilt("s3", Toxics(0.7, reset_on_reply=True))),
    Scenario("r2 slow", spoilt("s3", Toxics(bytes_per_s=500.0))),
    Scenario("r2 silent", spoilt("s3", Toxics(is_silent=True)), 30.0),
    Scenario("r2 answers cut short", spoilt("s3", Toxics(0.5, limit_bytes=40))),
)
_SMTP: Final = (
    Scenario("smtp refused", spoilt("mail", Toxics(is_down=True)), 20.0),
    Scenario("smtp 421", refused_mail(MailFault(sender="421 4.3.2 closing"))),
    Scenario("smtp 450", refused_mail(MailFault(recipient="450 4.2.1 try later"))),
    Scenario(
        "smtp 550",
        refused_mail(MailFault(recipient="550 5.1.1 no such user")),
        10.0,
        _PERSON,
        bites=_LOST,
    ),
    Scenario("smtp 451 after DATA", refused_mail(MailFault(data="451 4.3.0 local error"))),
    Scenario("smtp accepts and drops", refused_mail(MailFault(drops=True))),
    Scenario("smtp reset after DATA", spoilt("mail", Toxics(0.7, reset_after=b"\r\n.\r\n"))),
    Scenario("smtp silent", spoilt("mail", Toxics(is_silent=True)), 20.0),
)


def _kinguin(
    name: str,
    seconds: float = 10.0,
    ends: frozenset[str] = _DONE,
    stays_s: float = 0.0,
    bites: frozenset[str] = frozenset(),
    **faults: object,
) -> Scenario:
    fault = simulator("kinguin", **faults)
    name = f"kinguin {name}"
    return Scenario(name, fault, seconds, ends, buys("both"), stays_s=stays_s, bites=bites)


def _regretted(name: str, **faults: object) -> Scenario:
    """Keys are offered back within seconds of the cancellation, and looked after for a minute."""
    fault = simulator("kinguin", **faults)
    return Scenario(f"kinguin {name}", fault, 60.0, _UNDONE, wrong.regrets)


_KINGUIN: Final = (
    _kinguin("429", error_rate=0.5, error_status=429),
    _kinguin("429 with Retry-After", error_rate=0.5, error_status=429, retry_after_s=2),
    _kinguin("500", error_rate=0.5, error_status=500),
    _kinguin("502", error_rate=0.5, error_status=502),
    _kinguin("504", error_rate=0.5, error_status=504),
    _kinguin("answer lost after placing", drop_answer_after_work=2),
    _kinguin("answer lost, sells twice", drop_answer_after_work=2, refuse_duplicates=False),
    _kinguin("500 after placing", error_after_work=2),
    _kinguin("stuck", 25.0, stuck=True),
    _kinguin("cancels", 15.0, _OWED, bites=_LOST, cancel=True),
    _kinguin("fewer keys", 15.0, _WAITS, stays_s=30.0, bites=_WAITS - _DONE, fewer_keys=True),
    _kinguin("same key twice", 15.0, _WAITS, stays_s=30.0, bites=_WAITS - _DONE, repeat_keys=2),
    _kinguin("refunds", 15.0, _OWED, bites=_LOST, refund=True),
    _kinguin("cancels half-filled", 15.0, _OWED, bites=_LOST, cancel=True, fewer_keys=True),
    _kinguin("image keys", image_keys=True),
    _kinguin("price up", 10.0, _OWED, bites=_LOST, price_factor=20),
    _kinguin("balance empty", 10.0, _OWED, balance=0),
    _kinguin("malformed JSON", truncate_json=True),
    _kinguin("HTML errors", error_rate=0.5, html_errors=True),
    _kinguin("HTML for answers", html_answers=True),
    _kinguin("slow", latency_ms=3000),
    _regretted("takes no keys back", refuse_return=True),
    _regretted("answer lost after a return", drop_return_answer=2),
)


def _gateway(name: str, **faults: object) -> Scenario:
    return Scenario(f"nowpayments {name}", simulator("nowpayments", **faults))


def _customer(
    name: str, customer: Customer, ends: frozenset[str] = _DONE, orders: int = 2
) -> Scenario:
    return Scenario(name, no_fault(), 1.0, ends, customer, orders)


_PAYMENTS: Final = (
    _gateway("500", error_rate=0.5, error_status=500),
    _gateway("slow", latency_ms=2000),
    _gateway("500 after work", error_after_work=2),
    _gateway("IPNs lost", drop_ipns=True),
    _gateway("signs wrongly", wrong_signature=True),
    _customer("ipn fifty times", pays(repeat=50), orders=1),
    _customer("ipns shuffled", pays(repeat=3, shuffle=True), orders=4),
    _customer("ipn never sent", pays(send_ipn=False)),
    _customer("ipn forged", wrong.forges, _UNPAID),
    _customer("ipn byte changed", wrong.changes_a_byte, _UNPAID),
    _customer("ipn cut short", wrong.cuts_short, _UNPAID),
    _customer("ipn of a stolen secret", wrong.steals_the_secret, _UNPAID),
    _customer("ipn of an unknown order", wrong.names_an_unknown_order),
    _customer(
        "underpaid", pays(outcome="partially_paid", paid_fraction="0.5"), frozenset({"underpaid"})
    ),
    _customer("overpaid", pays(paid_fraction="1.5"), _PERSON),
    _customer("further deposit", pays(child_deposit=True), _PERSON),
    _customer("paid twice", wrong.pays_twice, _PERSON),
    _customer("paid after expiry", wrong.pays_after_expiry, _OWED),
    _customer("paid in another coin", wrong.pays_in_another_coin, _PERSON),
    _customer("ipns again after delivery", wrong.is_told_again),
    _customer(
        "given back after delivery", wrong.takes_the_money_back, frozenset({"needs_attention"})
    ),
)


def _restored(name: str, *services: str) -> Scenario:
    """Judged once payments had time to ask the gateway for what it has not heard: 60 s."""
    restore = Restore(*services)
    stays_s = 90.0 if "payments" in services else 0.0
    name = f"{name} restored"
    return Scenario(name, restore.during, 4.0, customer=restore.buys, stays_s=stays_s)


_RESTORED: Final = (
    *(_restored(service, service) for service in SERVICES_WITH_DATABASE),
    _restored("all databases", *SERVICES_WITH_DATABASE),
)

SCENARIOS: Final = (
    *_PROCESSES,
    *_CLOCKS_AND_KEYS,
    *_KAFKA,
    *_POSTGRES,
    *_R2,
    *_SMTP,
    *_KINGUIN,
    *_PAYMENTS,
    *_RESTORED,
)
SHORT: Final = (
    "postgres reset in COMMIT",
    "kafka killed",
    "r2 stored and reset",
    "smtp reset after DATA",
    "kinguin answer lost after placing",
    "ipns shuffled",
    "ipn of a stolen secret",
    "poison messages",
    "delivery killed",
)
"""What a short cut takes: one of each kind, quick to settle."""
