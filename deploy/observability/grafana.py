"""What a dashboard consists of, and the JSON that Grafana imports.

What is the same for every panel stands here once; `dashboards.py` says the rest.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

_WIDTH: Final = 24
_HEIGHT: Final = 8
_DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """`queries` are pairs of legend and PromQL; `unit` is Grafana's name of a unit."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    description: str = ""


@dataclass(frozen=True)
class Dashboard:
    """A page of Grafana; `uid` is part of its address and stays."""

    uid: str
    title: str
    panels: Sequence[Panel]


def as_json(dashboard: Dashboard) -> str:
    """What Grafana imports."""
    variable = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data"}
    return json.dumps(
        {
            "uid": dashboard.uid,
            "title": dashboard.title,
            "tags": ["bitloot"],
            "schemaVersion": 39,
            "timezone": "utc",
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "templating": {"list": [variable]},
            "panels": list(_panels(dashboard)),
        },
        indent=1,
    )


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number, panel in enumerate(dashboard.panels, start=1):
        if x + panel.width > _WIDTH:
            x, y = 0, y + _HEIGHT
        yield _panel(panel, number, x, y)
        x += panel.width


def _panel(panel: Panel, number: int, x: int, y: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _DATASOURCE,
                "expr": expr,
                "legendFormat": legend,
            }
            for at, (legend, expr) in enumerate(panel.queries)
        ],
    }
