import ast
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from stack.processes import run_to_end

DOCTOR = Path(__file__).parents[2] / "doctor.py"


@pytest.fixture
def bin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def put_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def doctor(bin_folder: Path, **environment: str) -> "CompletedProcess[str]":
    variables = {"PATH": str(bin_folder), "XDG_CACHE_HOME": str(bin_folder), **environment}
    return run_to_end([sys.executable, str(DOCTOR)], environment=variables)


def test_missing_java_and_maven_are_named_with_the_lines_that_install_them(
    bin_folder: Path,
) -> None:
    put_program(bin_folder, "apt-get", "exit 0")

    answer = doctor(bin_folder)

    assert answer.returncode == 0
    assert "Java is not installed" in answer.stdout
    assert "apt-get install -y openjdk-17-jre-headless" in answer.stdout
    assert "apt-get install -y maven" in answer.stdout


def test_missing_java_is_an_error_where_apache_kafka_is_forced(bin_folder: Path) -> None:
    answer = doctor(bin_folder, KAFKA="apache")

    assert answer.returncode == 1
    assert "MISSING  Java" in answer.stdout


def test_old_java_is_named_with_its_version(bin_folder: Path) -> None:
    put_program(bin_folder, "java", "echo 'openjdk version \"11.0.2\"' >&2")

    assert "Java 11 is older than 17" in doctor(bin_folder).stdout


def test_cached_jars_make_maven_unnecessary(bin_folder: Path) -> None:
    (bin_folder / "bitloot" / "kafka-4.4.0").mkdir(parents=True)

    assert "Maven is not installed" not in doctor(bin_folder).stdout


def test_script_is_readable_for_a_python_that_is_far_too_old() -> None:
    nodes = list(ast.walk(ast.parse(DOCTOR.read_text())))

    too_new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Match)
    assert [node for node in nodes if isinstance(node, too_new)] == []
    assert [node for node in nodes if isinstance(node, ast.arg) and node.annotation] == []
