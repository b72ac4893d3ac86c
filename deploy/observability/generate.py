"""Write what is generated here: `generate.py [--check]`.

The dashboards from `dashboards.py`, and the rules of the objectives from `slo.py`. The other
rules are written by hand. Afterwards `make manifests` wraps both for Kubernetes.
"""

import sys
from pathlib import Path

import dashboards
import grafana
import slo
import yaml

HERE = Path(__file__).parent
NOTE = "# Written by ../generate.py (`make dashboards`) from slo.py.\n"


def wanted() -> dict[Path, str]:
    """The text of every generated file."""
    rules = yaml.safe_dump(slo.rules(), sort_keys=False, width=100)
    boards = {
        HERE / "dashboards" / f"{name}.json": grafana.as_json(dashboard) + "\n"
        for name, dashboard in dashboards.DASHBOARDS.items()
    }
    return {HERE / "rules/slo.yml": NOTE + rules, **boards}


def stale() -> list[Path]:
    """The files that are not as they should be."""
    return [
        file for file, text in wanted().items() if not file.exists() or file.read_text() != text
    ]


if __name__ == "__main__":
    changed = stale()
    if "--check" in sys.argv and changed:
        sys.exit(f"{', '.join(file.name for file in changed)}: run `make dashboards`")
    for file in changed:
        file.write_text(wanted()[file])
