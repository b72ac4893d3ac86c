"""A payment that a notice calls finished and the gateway denies is no money, while it is asked."""

from datetime import UTC, datetime
from decimal import Decimal

from bitloot_verify import rows
from bitloot_verify.invariants.money import money_adds_up
from bitloot_verify.reading import Reading
from foundation.clock import new_id

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ORDER = new_id()


def a_reading(verdict: str | None, *jobs: str) -> Reading:
    payment = rows.Payment("77", ORDER, "finished", Decimal(60), verdict, "the gateway denies it")
    due = [rows.Job("payments", kind, str(ORDER), NOW, None) for kind in jobs]
    return Reading(NOW, {rows.Payment: [payment], rows.Job: due})


def test_a_denied_payment_is_no_violation_while_the_gateway_is_asked_again() -> None:
    assert list(money_adds_up(a_reading("not_finished", "reconcile"))) == []


def test_a_denied_payment_that_nobody_asks_about_is_found() -> None:
    [found] = money_adds_up(a_reading("not_finished"))

    assert found.subject == "payment 77"


def test_a_payment_without_a_verdict_is_found_though_its_order_is_looked_at() -> None:
    [found] = money_adds_up(a_reading(None, "reconcile"))

    assert found.subject == "payment 77"
