"""Each alert fires on its fault, is silent without it, and has a page that says what to do."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from bitloot_cli.deployment import SERVICES
from stack.processes import run_to_end
from stack.server_fixtures import program

ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "deploy/observability/rules").glob("*.yml"))
# One promtool run evaluates every rule for hours of series: half a minute of processor time.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("promtool")]

FIRES, SILENT = "fires:", "is silent:"
SECTIONS = ("What it means", "What the customer sees", "Look at", "Do", "When it ends")


def alerts() -> Iterator[dict[str, Any]]:
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from (rule for rule in group["rules"] if "alert" in rule)


@dataclass(frozen=True)
class Case:
    """Series in promtool's notation, one value a minute; `at` is when to look, in minutes."""

    fires: Mapping[str, str]
    quiet: Mapping[str, str] = field(default_factory=dict)
    at: int = 30


def gauge(name: str, bad: str, good: str = "0x60", at: int = 40) -> Case:
    return Case({name: bad}, {name: good}, at)


def _requests(bad: str, all_: str, **labels: str) -> dict[str, str]:
    of = "".join(f',{key}="{value}"' for key, value in labels.items())
    name = "http_request_duration_seconds_count"
    return {f'{name}{{status="200"{of}}}': all_, f'{name}{{status="503"{of}}}': bad}


_IPN = {"service": "payments", "route": "/webhooks/nowpayments"}
_CALLS = "kinguin_request_seconds_count"
_BALANCE = "kinguin_balance_eur"
_SPEND = 'kinguin_spend_total{currency="EUR"}'
WATCHED = (*SERVICES, "verify")
CASES: Mapping[str, Case] = {
    "PaidOrderStuck": gauge(
        'oldest_paid_unfilled_age_seconds{source="custom"}', "601x60", "599x60"
    ),
    "OrderNeedsAttention": gauge('orders{status="needs_attention"}', "1x60"),
    "UnderpaidOrderWaits": gauge('orders{status="underpaid"}', "1x60"),
    "RefundWaits": gauge(
        'refunds_oldest_waiting_age_seconds{state="address_given"}', "172801x60", "172799x60"
    ),
    "BadKeyCaseDue": gauge("bad_key_cases_due", "1x60"),
    "NotificationWithoutEffect": gauge("ipns_oldest_open_age_seconds", "601x60", "599x60"),
    "SignatureFailures": gauge('nowpayments_ipns_total{answer="401"}', "0+6x60", "0+4x60"),
    "PaymentMismatched": gauge('payment_verdicts_total{verdict="mismatched"}', "0x20 1x40"),
    "BooksDiffer": gauge("payment_differences", "1x60"),
    "InvariantViolated": gauge('invariant_violations{number="1",name="keys"}', "0x5 1x60"),
    "InvariantsNotChecked": gauge("invariants_checked_timestamp_seconds", "0x60", "0+60x60"),
    "StockRunsOut": gauge('custom_products{stock="none"}', "1x60"),
    "KeysNotStored": gauge("deliveries_oldest_unstored_age_seconds", "601x60", "599x60"),
    "TargetDown": gauge('up{service="orders"}', "0x60", "1x60"),
    "ServiceGone": Case(
        {f'up{{service="{name}"}}': "1x60" for name in WATCHED if name != "orders"},
        {f'up{{service="{name}"}}': "0x60" for name in WATCHED},
    ),
    "FiguresStale": gauge('figures_read_timestamp_seconds{service="orders"}', "0x60", "0+60x60"),
    "ServiceErrors": Case(
        _requests("0+6x60", "0+94x60", service="orders", route="/orders"),
        _requests("0+4x60", "0+96x60", service="orders", route="/orders"),
    ),
    "OutboxStuck": gauge('outbox_oldest_age_seconds{service="orders"}', "61x60", "59x60"),
    "ConsumerNotJoined": gauge(
        'consumer_assigned_partitions{service="orders",topic="key.ready"}', "0x60", "12x60"
    ),
    "ConsumerLags": gauge(
        'consumer_lag_seconds{service="orders",topic="key.ready"}', "121x60", "119x60"
    ),
    "DeadLetters": gauge('dead_letters{service="orders",topic="key.ready"}', "1x60"),
    "JobsOverdue": gauge(
        'jobs_oldest_due_age_seconds{service="orders",kind="ask_again"}', "301x60", "299x60"
    ),
    "JobsFailing": Case(
        {'jobs_failing{service="orders",kind="poll"}': "1 0 1 1 0 0 1 0 1 1 0 0 1 0 1 1 0 0 1x60"},
        {'jobs_failing{service="orders",kind="poll"}': "1x10 0x60"},
        60,
    ),
    "EventLoopBlocked": gauge('event_loop_lag_seconds{service="orders"}', "1.5x60", "0.5x60"),
    "Watchdog": Case({"up": "1x60"}),
    "SupplierFails": Case(
        {f'{_CALLS}{{outcome="unclear"}}': "0+3x60", f'{_CALLS}{{outcome="ok"}}': "0+7x60"},
        {f'{_CALLS}{{outcome="unclear"}}': "0+2x60", f'{_CALLS}{{outcome="ok"}}': "0+8x60"},
    ),
    "SupplierRefusesUs": gauge(f'{_CALLS}{{outcome="unauthorized"}}', "0+1x60"),
    "BalanceLow": Case(
        {_BALANCE: "99x60", _SPEND: "0+10x60"}, {_BALANCE: "51x60", _SPEND: "5x60"}, 40
    ),
    "BalanceUnknown": gauge("kinguin_balance_read_timestamp_seconds", "1x60", "0+60x60"),
    "ExchangeRateOld": gauge("kinguin_exchange_rate_age_seconds", "432001x60", "431999x60"),
    "OffersStale": gauge("kinguin_oldest_offer_age_seconds", "7201x60", "7199x60"),
    "PurchasesWait": gauge('kinguin_purchases_waiting{reason="balance"}', "2x60"),
    "RolloutSteppedBack": gauge("rollout_steps_back_total", "0x20 1x40"),
    "PurchaseUnknown": gauge('kinguin_purchases{state="unknown"}', "1x60"),
    "PurchaseNeedsAttention": gauge('kinguin_purchases{state="needs_attention"}', "1x60"),
    "MailRefused": gauge('mails_total{result="failed"}', "0x30 1x30"),
    "MailsWaiting": gauge("mails_oldest_planned_age_seconds", "901x60", "899x60"),
    "ErrorBudgetBurnsFast": Case(
        _requests("0+1x120", "0+99x120", **_IPN), _requests("0x120", "0+99x120", **_IPN), 90
    ),
    "ErrorBudgetBurnsSlow": Case(
        _requests("0+1x300", "0+499x300", **_IPN), _requests("0x300", "0+99x300", **_IPN), 200
    ),
}
MORE_CASES = {
    "checks by nobody": (
        "InvariantsNotChecked",
        Case({"up": "1x60"}, {"invariants_checked_timestamp_seconds": "0+60x60"}, 40),
    ),
    "PaidOrderStuck of Kinguin": (
        "PaidOrderStuck",
        gauge('oldest_paid_unfilled_age_seconds{source="kinguin"}', "1801x60", "1799x60"),
    ),
    "BalanceLow without spending": ("BalanceLow", Case({_BALANCE: "49x60", _SPEND: "0x60"})),
    "late deliveries burn": (
        "ErrorBudgetBurnsFast",
        Case(
            {
                'paid_to_delivered_seconds_count{source="custom"}': "0+5x120",
                'paid_to_delivered_seconds_bucket{source="custom",le="300.0"}': "0+4x120",
            },
            {
                'paid_to_delivered_seconds_count{source="custom"}': "0+5x120",
                'paid_to_delivered_seconds_bucket{source="custom",le="300.0"}': "0+5x120",
            },
            90,
        ),
    ),
}


def all_cases() -> list[tuple[str, str, Case]]:
    more = [(title, alert, case) for title, (alert, case) in MORE_CASES.items()]
    return [(alert, alert, case) for alert, case in CASES.items()] + more


def promtool_test(name: str, alert: str, series: Mapping[str, str], at: int) -> dict[str, Any]:
    """One test in promtool's form; the name says what is expected."""
    expected = [{"labels": "{}", "value": 1}] if name.startswith(FIRES) else []
    return {
        "name": name,
        "interval": "1m",
        "input_series": [{"series": key, "values": value} for key, value in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}}) > bool 0',
                "eval_time": f"{at}m",
                "exp_samples": expected,
            }
        ],
    }


def promtool_tests() -> Iterator[dict[str, Any]]:
    for title, alert, case in all_cases():
        yield promtool_test(f"{FIRES} {title}.", alert, case.fires, case.at)
        if case.quiet:
            yield promtool_test(f"{SILENT} {title}.", alert, case.quiet, case.at)


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What promtool says of all tests; one run, since each start evaluates every rule."""
    file = tmp_path_factory.mktemp("rules") / "test.yml"
    head = {"rule_files": [str(rule) for rule in RULES], "evaluation_interval": "1m"}
    file.write_text(yaml.safe_dump({**head, "tests": list(promtool_tests())}))
    ended = run_to_end([str(program("promtool")), "test", "rules", str(file)], deadline_s=240)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0 or FIRES in said or SILENT in said, said
    return said


@pytest.mark.parametrize("title", [title for title, _, _ in all_cases()])
def test_alert_fires_on_its_fault(title: str, complaints: str) -> None:
    assert f"{FIRES} {title}." not in complaints, complaints


@pytest.mark.parametrize("title", [title for title, _, case in all_cases() if case.quiet])
def test_alert_is_silent_without_its_fault(title: str, complaints: str) -> None:
    assert f"{SILENT} {title}." not in complaints, complaints


def test_every_alert_has_its_case() -> None:
    assert {rule["alert"] for rule in alerts()} == set(CASES)


def test_prometheus_takes_the_rules() -> None:
    ended = run_to_end([str(program("promtool")), "check", "rules", *map(str, RULES)])

    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("rule", list(alerts()), ids=lambda rule: str(rule["alert"]))
def test_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    page = ROOT / rule["annotations"]["runbook_url"]

    text = page.read_text()

    assert rule["labels"]["severity"] in {"page", "ticket", "none"}
    assert rule["annotations"]["summary"]
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == list(SECTIONS)


def test_no_page_is_without_its_alert() -> None:
    pages = {file.name for file in (ROOT / "docs/runbooks").glob("*.md")} - {"index.md"}

    meant = {Path(rule["annotations"]["runbook_url"]).name for rule in alerts()}

    assert pages == meant


def test_what_is_generated_is_up_to_date() -> None:
    script = ROOT / "deploy/observability/generate.py"

    ended = run_to_end([sys.executable, str(script), "--check"], deadline_s=60)

    assert ended.returncode == 0, ended.stderr
