"""An outcome survives its file, is good only when something ran well, and reads as a page."""

import random
from datetime import UTC, datetime
from pathlib import Path

from bitloot_verify.check import Report
from bitloot_verify.invariants import Finding
from chaos.crash_sweep import ENDINGS, HITS, plan
from chaos.evidence import CUTS, render, saved
from chaos.outcome import Outcome, Run
from chaos.points import places


def an_outcome(*runs: Run) -> Outcome:
    return Outcome("crash", 7, runs=list(runs), orders=3)


def test_no_run_is_no_success() -> None:
    assert not an_outcome().is_good
    assert an_outcome(Run("a", 1.0)).is_good
    assert not an_outcome(Run("a", 1.0), Run("b", 1.0, "did not fire")).is_good


def test_a_violation_is_no_success() -> None:
    outcome = an_outcome(Run("a", 1.0))
    finding = Finding("line 1", "has two keys")

    outcome.judge(Report(datetime(2026, 1, 1, tzinfo=UTC), {1: frozenset({finding})}, 5))

    assert not outcome.is_good
    assert list(outcome.violations) == ["1"]


def test_an_outcome_is_read_as_it_was_written(tmp_path: Path) -> None:
    outcome = an_outcome(Run("a", 1.0), Run("b", 2.0, "no"))

    assert Outcome.load(outcome.save(tmp_path)) == outcome


def test_the_page_names_seed_runs_and_problems() -> None:
    page = render("short", [an_outcome(Run("a", 1.0), Run("b", 2.0, "did not fire"))])

    assert "2 runs, 1 failed, 3 orders" in page
    assert "seed 7" in page
    assert "| b | 2.0 | did not fire |" in page


def test_batteries_that_ran_one_by_one_make_one_page(tmp_path: Path) -> None:
    an_outcome(Run("a", 1.0)).save(tmp_path)
    Outcome("volume", 8, runs=[Run("b", 1.0)]).save(tmp_path)

    assert [outcome.battery for outcome in saved(tmp_path)] == ["crash", "volume"]


def test_a_full_sweep_has_every_place_with_both_signals_and_hits() -> None:
    every = list(places())

    armings = plan(every, random.Random(1), endings=ENDINGS, hits=HITS)  # noqa: S311  repeatable

    assert len({(a.place, a.ending, a.hit) for a in armings}) == len(armings) == 4 * len(every)
    assert {a.place for a in armings[: len(every)]} == set(every)


def test_a_seed_repeats_the_order() -> None:
    first, second = (
        plan(list(places()), random.Random(5), endings=ENDINGS, hits=HITS)  # noqa: S311  repeatable
        for _ in range(2)
    )

    assert first == second


def test_the_full_cut_runs_every_battery_and_the_short_one_what_no_test_run_has() -> None:
    names = {cut: [battery.name for battery in batteries] for cut, batteries in CUTS.items()}

    assert names == {
        "full": ["crash", "faults", "volume", "model", "contention"],
        "short": ["crash", "faults", "volume"],
    }
