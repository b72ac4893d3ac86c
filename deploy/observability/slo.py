"""The service level objectives, and the rules that say how fast their budgets burn.

Windows and factors are those of the SRE workbook (chapter "Alerting on SLOs"): 14.4 times in an
hour or 6 times in six hours wakes somebody; 3 times in a day or once in three days is a ticket.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

WINDOWS: Final = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
FAST: Final = (("1h", "5m", 14.4), ("6h", "30m", 6))
SLOW: Final = (("1d", "2h", 3), ("3d", "6h", 1))

Rule = dict[str, Any]


@dataclass(frozen=True)
class Objective:
    """`bad` and `all` count events; `{window}` stands where their window belongs."""

    name: str
    target: float
    bad: str
    all: str

    @property
    def budget(self) -> float:
        """The part of all events that may be bad."""
        return round(1 - self.target, 6)


def _requests(matchers: str, suffix: str = "count") -> str:
    return f"sum(rate(http_request_duration_seconds_{suffix}{{{matchers}}}[{{window}}]))"


_IPN: Final = 'route="/webhooks/nowpayments"'
_PAGE: Final = 'service="orders",method="GET",route="/orders/{{order_id}}"'


_QUICK_IPN: Final = _requests(f'{_IPN},le="0.5"', "bucket")


def _too_late(source: str) -> tuple[str, str]:
    of = f'source="{source}"'
    every = f"sum(rate(paid_to_delivered_seconds_count{{{of}}}[{{window}}]))"
    quick = f'sum(rate(paid_to_delivered_seconds_bucket{{{of},le="300.0"}}[{{window}}]))'
    return f"({every} - {quick})", every


OBJECTIVES: Final = (
    Objective("ipn-availability", 0.9995, _requests(f'{_IPN},status=~"5.."'), _requests(_IPN)),
    Objective(
        "ipn-latency",
        0.99,
        f"({_requests(_IPN)} - {_QUICK_IPN})",
        _requests(_IPN),
    ),
    Objective("delivered-custom", 0.99, *_too_late("custom")),
    Objective("delivered-kinguin", 0.95, *_too_late("kinguin")),
    Objective("order-page", 0.999, _requests(f'{_PAGE},status=~"5.."'), _requests(_PAGE)),
)


def rules() -> dict[str, Any]:
    """The rule file."""
    return {
        "groups": [
            {"name": "slo-ratios", "interval": "30s", "rules": list(_ratios())},
            {"name": "slo-burn", "rules": [_alert("Fast", FAST), _alert("Slow", SLOW)]},
        ]
    }


def _ratios() -> Iterator[Rule]:
    for objective in OBJECTIVES:
        labels = {"slo": objective.name}
        yield {"record": "slo:budget", "expr": f"vector({objective.budget})", "labels": labels}
        for window in WINDOWS:
            bad, every = (_in(window, text) for text in (objective.bad, objective.all))
            # Without the part behind `or`, no bad event at all would be no figure at all.
            expr = f"({bad} or 0 * {every}) / ({every} > 0)"
            yield {"record": f"slo:errors:ratio_{window}", "expr": expr, "labels": labels}


def _in(window: str, text: str) -> str:
    return text.replace("{window}", window).replace("{{", "{").replace("}}", "}")


def _alert(speed: str, windows: tuple[tuple[str, str, float], ...]) -> Rule:
    burns = [
        f"(slo:errors:ratio_{long} > on(slo) group_left() {factor} * slo:budget"
        f" and slo:errors:ratio_{short} > on(slo) group_left() {factor} * slo:budget)"
        for long, short, factor in windows
    ]
    pages = speed == "Fast"
    return {
        "alert": f"ErrorBudgetBurns{speed}",
        "expr": " or ".join(burns),
        "for": "2m" if pages else "15m",
        "labels": {"severity": "page" if pages else "ticket"},
        "annotations": {
            "summary": "The objective {{ $labels.slo }} is missed "
            + ("so fast that its month is gone in days" if pages else "steadily"),
            "runbook_url": f"docs/runbooks/error-budget-burns-{speed.lower()}.md",
        },
    }
