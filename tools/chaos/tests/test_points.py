"""The list of crash points is the code's, and each point is armed, fires once, and says so."""

import ast
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chaos.arming import Arming, Triggers
from chaos.points import POINTS, Place, places

ROOT = Path(__file__).parents[3]


def calls(file: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "crash_point":
            yield node


def names_in_code() -> set[str]:
    files = [f for part in ("libs", "services") for f in ROOT.glob(f"{part}/*/src/**/*.py")]
    arguments = [call.args[0] for file in files for call in calls(file)]
    assert all(isinstance(argument, ast.Constant) for argument in arguments), "a name is a literal"
    return {str(ast.literal_eval(argument)) for argument in arguments}


def test_every_point_of_the_code_is_listed_and_every_listed_one_is_in_the_code() -> None:
    assert {point.name for point in POINTS} == names_in_code()


def test_no_name_stands_twice_and_the_sweep_has_its_size() -> None:
    names = [point.name for point in POINTS]

    assert len(names) == len(set(names))
    assert len(list(places())) >= 26


PASSES = "from foundation.crash import crash_point\nfor _ in range(3): crash_point('a.point')\n"


def run(file: Path, *, environment: str = "development") -> int:
    variables = {"CRASH_POINT_FILE": str(file), "ENVIRONMENT": environment}
    return subprocess.run(
        [sys.executable, "-c", PASSES], check=False, env=dict(os.environ) | variables
    ).returncode


@pytest.fixture
def triggers(tmp_path: Path) -> Triggers:
    found = Triggers(tmp_path)
    found.settings()
    return found


@pytest.mark.parametrize("hit", [1, 3])
@pytest.mark.parametrize("ending", ["KILL", "TERM"])
def test_an_armed_point_ends_one_process_once(triggers: Triggers, ending: str, hit: int) -> None:
    arming = Arming(Place("orders", "a.point"), ending, hit, 1)
    file = Path(triggers.settings()["orders"]["CRASH_POINT_FILE"])
    triggers.arm(arming)
    assert not triggers.fired(arming)

    assert run(file) == -signal.Signals[f"SIG{ending}"]
    assert triggers.fired(arming)
    assert run(file) == 0


def test_a_hit_that_does_not_come_has_not_fired(triggers: Triggers) -> None:
    arming = Arming(Place("orders", "a.point"), "KILL", 4, 1)
    triggers.arm(arming)

    assert run(Path(triggers.settings()["orders"]["CRASH_POINT_FILE"])) == 0
    assert not triggers.fired(arming)


def test_what_fired_before_does_not_count_for_the_next_arming(triggers: Triggers) -> None:
    first = Arming(Place("orders", "a.point"), "KILL", 1, 1)
    triggers.arm(first)
    run(Path(triggers.settings()["orders"]["CRASH_POINT_FILE"]))

    assert not triggers.fired(Arming(first.place, "KILL", 1, 2))


def test_nothing_fires_in_production(triggers: Triggers) -> None:
    triggers.arm(Arming(Place("orders", "a.point"), "KILL", 1, 1))

    file = Path(triggers.settings()["orders"]["CRASH_POINT_FILE"])
    assert run(file, environment="production") == 0
