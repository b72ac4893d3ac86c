"""Every metric that a rule or a dashboard names is exported by a running service."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from stack.plan import SERVICES
from stack.testing import PlacedOrder, Shop
from stack.whole_stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("traced"), pytest.mark.timeout(300)]

FOLDER = Path(__file__).parents[2] / "deploy/observability"
# Of Prometheus itself, and of `bitloot verify`, which has a test of its own.
NOT_OF_SERVICES = {"up", "ALERTS", "invariant_violations", "invariants_checked_timestamp_seconds"}
_NO_NAMES = re.compile(
    r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
)
_TEXT = re.compile(r"\"[^\"]*\"")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset", "group_left", "group_right"}
_LABEL = re.compile(r"[\w.:+/{}<>= -]{0,80}")


def names(expression: str) -> set[str]:
    """The metrics that an expression reads."""
    return set(_NAME.findall(_NO_NAMES.sub(" ", _TEXT.sub("", expression)))) - _WORDS


def rules() -> Iterator[dict[str, Any]]:
    for file in sorted((FOLDER / "rules").glob("*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            yield from group["rules"]


def panels() -> Iterator[dict[str, Any]]:
    for file in sorted((FOLDER / "dashboards").glob("*.json")):
        yield from json.loads(file.read_text())["panels"]


def used() -> set[str]:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    expressions = [rule["expr"] for rule in rules()]
    expressions += [t["expr"] for panel in panels() for t in panel.get("targets", [])]
    return {name for text in expressions for name in names(text)} - recorded - NOT_OF_SERVICES


@pytest.fixture(scope="module")
def scraped(traced_stack: RunningStack, sold: PlacedOrder) -> str:
    """What Prometheus would read from every service after an order."""
    assert sold.id
    time.sleep(20)  # three rounds of the samplers: the rows of the order are in the figures
    with httpx.Client(trust_env=False) as http:
        return "".join(
            http.get(f"{traced_stack.plan.url(name)}/metrics").raise_for_status().text
            for name in SERVICES
        )


def test_every_metric_of_rules_and_dashboards_is_exported(scraped: str) -> None:
    exported = set(re.findall(r"^([a-zA-Z_:][\w:]*)", scraped, re.MULTILINE))
    kinds = {"dead_letters", "jobs_due", "jobs_oldest_due_age_seconds", "jobs_failing"}

    missing = {
        name
        for name in used() - exported
        # Empty while nothing waits, so that no dead series stay: the family alone is shown.
        if name not in kinds or f"# TYPE {name} " not in scraped
    }

    assert missing == set()


def test_labels_are_bounded_and_hold_nothing_of_a_customer(
    scraped: str, traced_shop: Shop, sold: PlacedOrder
) -> None:
    values = set(re.findall(r'[{,][\w]+="((?:[^"\\]|\\.)*)"', scraped))
    private = {sold.id, sold.email, *(item["id"] for item in traced_shop.page(sold)["items"])}

    assert {value for value in values if not _LABEL.fullmatch(value)} == set()
    assert {value for value in values if any(each in value for each in private)} == set()
    assert not any(re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-|@", value) for value in values)
    assert len(values) < 400


def test_every_consumer_shows_the_partitions_it_reads(scraped: str) -> None:
    read = re.findall(
        r'^consumer_assigned_partitions\{topic="([^"]+)"\} (\S+)$', scraped, re.MULTILINE
    )

    assert {topic for topic, _ in read} >= {"order.placed", "payment.confirmed", "key.ready"}
    assert [topic for topic, partitions in read if float(partitions) == 0] == []


def test_promise_and_money_are_counted(scraped: str) -> None:
    figures = dict(re.findall(r"^(\S+) (\S+)$", scraped, re.MULTILINE))

    assert figures['paid_to_delivered_seconds_count{source="custom"}'] == "1.0"
    assert figures['paid_to_delivered_seconds_count{source="kinguin"}'] == "1.0"
    assert figures['payment_verdicts_total{verdict="confirmed"}'] == "1.0"
    assert float(figures['payments_confirmed_amount_total{currency="USD"}']) == 85
    assert float(figures['kinguin_spend_total{currency="EUR"}']) > 0
    assert figures['mails_total{result="sent"}'] == "1.0"
    assert figures['order_status_changes_total{status="fulfilled"}'] == "1.0"
    assert figures['oldest_paid_unfilled_age_seconds{source="custom"}'] == "0.0"
    assert float(figures["kinguin_balance_eur"]) > 0
