"""What pytest reports becomes runs, and a test that did not run is no evidence."""

from pathlib import Path

from chaos.outcome import Outcome
from chaos.tested import runs_of

REPORT = """<testsuites><testsuite>
<testcase name="good" time="1.26"/>
<testcase name="bad" time="0.5"><failure message="assert"/></testcase>
<testcase name="broken"><error message="no database"/></testcase>
<testcase name="left out" time="0"><skipped message="no broker"/></testcase>
</testsuite></testsuites>"""


def test_each_test_is_a_run_and_only_a_passed_one_is_good(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT)

    runs = {run.name: (run.seconds, run.problem) for run in runs_of(report)}

    assert runs == {
        "good": (1.3, None),
        "bad": (0.5, "failure"),
        "broken": (0.0, "error"),
        "left out": (0.0, "skipped"),
    }


def test_no_report_is_no_success(tmp_path: Path) -> None:
    outcome = Outcome("model", 1)

    outcome.runs.extend(runs_of(tmp_path / "missing.xml"))

    assert not outcome.is_good
