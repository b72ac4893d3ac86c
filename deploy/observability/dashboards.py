"""The three dashboards in a few words each: rows of panels, each panel its questions.

What is not said here is the same for every panel; `generate.py` writes Grafana's JSON.
"""

from typing import Final

from grafana import Dashboard, Panel


def _rate(metric: str, by: str, matchers: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def _quantile(part: float, metric: str, by: str, matchers: str = "") -> str:
    return f"histogram_quantile({part}, {_rate(f'{metric}_bucket', f'le, {by}', matchers)})"


def _now(metric: str, by: str, matchers: str = "") -> str:
    """A figure from the rows: every replica shows the same."""
    return f"max by ({by}) ({metric}{{{matchers}}})" if by else f"max({metric}{{{matchers}}})"


SHOP: Final = Dashboard(
    "bitloot-shop",
    "BitLoot: money and keys",
    (
        Panel(
            "Paid lines without a key",
            [("{{source}}", _now("paid_unfilled_lines", "source"))],
            kind="stat",
            width=4,
        ),
        Panel(
            "Oldest of them",
            [("{{source}}", _now("oldest_paid_unfilled_age_seconds", "source"))],
            "s",
            "stat",
            4,
        ),
        Panel(
            "Orders that wait for a person",
            [("orders", _now("orders", "", 'status="needs_attention"'))],
            kind="stat",
            width=4,
        ),
        Panel(
            "Violated invariants",
            [("violations", "sum(max by (name) (invariant_violations))")],
            kind="stat",
            width=4,
            description="From `bitloot verify --every`; no data means that nobody checks.",
        ),
        Panel(
            "Refunds to send",
            [("refunds", _now("refunds", "", 'state="address_given"'))],
            kind="stat",
            width=4,
        ),
        Panel(
            "Reported keys without a decision",
            [("keys", _now("bad_key_cases", "", 'state="open"'))],
            kind="stat",
            width=4,
        ),
        Panel(
            "Orders by the status they come to",
            [("{{status}}", "sum by (status) (increase(order_status_changes_total[5m]))")],
        ),
        Panel(
            "Paid until the key is there",
            [
                ("{{source}} median", _quantile(0.5, "paid_to_delivered_seconds", "source")),
                ("{{source}} p95", _quantile(0.95, "paid_to_delivered_seconds", "source")),
            ],
            "s",
        ),
        Panel(
            "Money of paid orders",
            [("{{currency}}", "sum by (currency) (increase(payments_confirmed_amount_total[1h]))")],
            description="In an hour, as ordered.",
        ),
        Panel("Payments by state", [("{{status}}", _now("payments", "status"))]),
        Panel("Invoices by state", [("{{state}}", _now("invoices", "state"))]),
        Panel(
            "Verdicts on finished payments",
            [("{{verdict}}", "sum by (verdict) (increase(payment_verdicts_total[1h]))")],
        ),
        Panel(
            "Notifications by answer",
            [("{{answer}}", _rate("nowpayments_ipns_total", "answer"))],
            "reqps",
        ),
        Panel(
            "Notifications by effect",
            [("{{effect}}", _rate("ipn_effects_total", "effect"))],
            "reqps",
        ),
        Panel(
            "Since the last notification, oldest without effect",
            [
                ("last", _now("ipns_last_received_age_seconds", "")),
                ("without effect", _now("ipns_oldest_open_age_seconds", "")),
            ],
            "s",
        ),
        Panel("Keys of own stock", [("{{state}}", _now("stock_keys", "state"))]),
        Panel("Products by free keys", [("{{stock}}", _now("custom_products", "stock"))]),
        Panel(
            "Lines that wait for an upload",
            [
                ("lines", _now("stock_lines_waiting", "")),
                ("oldest, hours", f"{_now('stock_oldest_waiting_line_age_seconds', '')} / 3600"),
            ],
        ),
        Panel("Orders by status", [("{{status}}", _now("orders", "status"))], width=12),
        Panel(
            "Differences to the books of others",
            [("differences", _now("payment_differences", ""))],
            width=12,
        ),
    ),
)

SERVICES: Final = Dashboard(
    "bitloot-services",
    "BitLoot: services",
    (
        Panel(
            "Replicas that answer",
            [
                (
                    "{{service}}",
                    'sum by (service) (up{service!=""})',
                )
            ],
            kind="stat",
            width=24,
        ),
        Panel(
            "Requests",
            [("{{service}}", _rate("http_request_duration_seconds_count", "service"))],
            "reqps",
        ),
        Panel(
            "Errors of ours",
            [
                (
                    "{{service}} {{route}}",
                    _rate("http_request_duration_seconds_count", "service, route", 'status=~"5.."'),
                )
            ],
            "reqps",
        ),
        Panel(
            "Duration p99",
            [
                (
                    "{{service}} {{route}}",
                    _quantile(0.99, "http_request_duration_seconds", "service, route"),
                )
            ],
            "s",
        ),
        Panel(
            "Error budgets: burn in the last hour",
            [("{{slo}}", "slo:errors:ratio_1h / on (slo) slo:budget")],
            description="1 uses up the budget of a month in a month.",
        ),
        Panel(
            "Messages",
            [
                (
                    "{{service}} {{topic}} {{outcome}}",
                    _rate("consumer_messages_total", "service, topic, outcome"),
                )
            ],
        ),
        Panel(
            "Batch p95",
            [
                (
                    "{{service}} {{topic}}",
                    _quantile(0.95, "consumer_batch_seconds", "service, topic"),
                )
            ],
            "s",
        ),
        Panel(
            "Lag in time",
            [("{{service}} {{topic}}", _now("consumer_lag_seconds", "service, topic"))],
            "s",
        ),
        Panel(
            "Records behind",
            [("{{service}} {{topic}}", "sum by (service, topic) (consumer_records_behind)")],
        ),
        Panel(
            "Partitions read",
            [("{{service}} {{topic}}", "sum by (service, topic) (consumer_assigned_partitions)")],
        ),
        Panel(
            "Outbox: oldest message",
            [("{{service}}", _now("outbox_oldest_age_seconds", "service"))],
            "s",
        ),
        Panel("Outbox: messages", [("{{service}}", _now("outbox_pending", "service"))]),
        Panel("Dead letters", [("{{service}} {{topic}}", _now("dead_letters", "service, topic"))]),
        Panel(
            "Jobs: lateness",
            [("{{service}} {{kind}}", _now("jobs_oldest_due_age_seconds", "service, kind"))],
            "s",
        ),
        Panel("Jobs: due", [("{{service}} {{kind}}", _now("jobs_due", "service, kind"))]),
        Panel(
            "Jobs: failed at their last try",
            [("{{service}} {{kind}}", _now("jobs_failing", "service, kind"))],
        ),
        Panel(
            "Age of the figures from the rows",
            [("{{service}}", "time() - max by (service) (figures_read_timestamp_seconds)")],
            "s",
        ),
        Panel(
            "Event loop: too late by",
            [("{{service}}", _now("event_loop_lag_seconds", "service"))],
            "s",
        ),
        Panel(
            "Database connections in use",
            [("{{service}}", "sum by (service) (database_connections_in_use)")],
        ),
        Panel(
            "Memory",
            [("{{service}} {{instance}}", "process_resident_memory_bytes")],
            "bytes",
            width=12,
        ),
        Panel(
            "Processor",
            [("{{service}} {{instance}}", "rate(process_cpu_seconds_total[$__rate_interval])")],
            "percentunit",
            width=12,
        ),
    ),
)

SUPPLIER: Final = Dashboard(
    "bitloot-supplier",
    "BitLoot: supplier and mail",
    (
        Panel(
            "Balance at Kinguin",
            [("EUR", _now("kinguin_balance_eur", ""))],
            "currencyEUR",
            "stat",
            6,
        ),
        Panel(
            "Spent in a day",
            [("{{currency}}", "sum by (currency) (increase(kinguin_spend_total[1d]))")],
            "currencyEUR",
            "stat",
            6,
        ),
        Panel(
            "Unknown purchases, oldest",
            [("age", _now("kinguin_oldest_unknown_age_seconds", ""))],
            "s",
            "stat",
            6,
        ),
        Panel(
            "Balance: last heard",
            [("ago", "time() - max(kinguin_balance_read_timestamp_seconds)")],
            "s",
            "stat",
            6,
        ),
        Panel(
            "Calls by outcome",
            [
                (
                    "{{operation}} {{outcome}}",
                    _rate("kinguin_request_seconds_count", "operation, outcome"),
                )
            ],
            "reqps",
        ),
        Panel(
            "Calls p95",
            [("{{operation}}", _quantile(0.95, "kinguin_request_seconds", "operation"))],
            "s",
        ),
        Panel("Purchases by state", [("{{state}}", _now("kinguin_purchases", "state"))]),
        Panel(
            "Rollout of Kinguin",
            [
                ("percent", _now("rollout_percent", "")),
                ("steps back", "sum(increase(rollout_steps_back_total[1h]))"),
            ],
        ),
        Panel("Purchases that wait", [("{{reason}}", _now("kinguin_purchases_waiting", "reason"))]),
        Panel("Exchange rate, age", [("age", _now("kinguin_exchange_rate_age_seconds", ""))], "s"),
        Panel("Oldest offer, age", [("age", _now("kinguin_oldest_offer_age_seconds", ""))], "s"),
        Panel(
            "Steps of purchases",
            [
                (
                    "{{state}}, attempt {{attempt}}",
                    "sum by (state, attempt) (increase(kinguin_purchase_steps_total[5m]))",
                )
            ],
            width=12,
        ),
        Panel(
            "Spending",
            [("{{currency}}", "sum by (currency) (increase(kinguin_spend_total[1h]))")],
            "currencyEUR",
            width=12,
        ),
        Panel("Mails", [("{{result}}", _rate("mails_total", "result"))]),
        Panel(
            "Oldest mail that waits", [("age", _now("mails_oldest_planned_age_seconds", ""))], "s"
        ),
        Panel(
            "Oldest keys not in the bucket",
            [("age", _now("deliveries_oldest_unstored_age_seconds", ""))],
            "s",
        ),
        Panel("Deliveries by state", [("{{state}}", _now("deliveries", "state"))], width=12),
        Panel(
            "Reveals by answer",
            [
                (
                    "{{status}}",
                    _rate(
                        "http_request_duration_seconds_count",
                        "status",
                        'service="delivery",route=~".*/reveal"',
                    ),
                )
            ],
            "reqps",
            width=12,
        ),
    ),
)

DASHBOARDS: Final = {"shop": SHOP, "services": SERVICES, "supplier": SUPPLIER}
