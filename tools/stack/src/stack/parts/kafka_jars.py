"""The jars of Apache Kafka: resolved once by Maven from the pinned pom.xml, then cached.

The cache lies outside the checkout (`$XDG_CACHE_HOME/bitloot`, by default `~/.cache/bitloot`), so
that a second clone starts at once. Maven uses whatever mirrors and proxies its settings name.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from stack.errors import StackError, ToolMissing
from stack.logs import tail
from stack.processes import Command, ProcessFolder, run_to_end

_POM = Path(__file__).parents[3] / "kafka" / "pom.xml"
_NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}
_RESOLVE_DEADLINE_S = 540.0
LEAST_JAVA = 17


def kafka_version() -> str:
    """The version that pom.xml pins."""
    found = ET.parse(_POM).findtext("m:properties/m:kafka.version", None, _NAMESPACE)  # noqa: S314 our own file
    if not found:
        raise StackError(f"{_POM} names no kafka.version")
    return found


def cache_folder() -> Path:
    """Where downloads are kept that outlive a checkout."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "bitloot"


def java_version() -> int | None:
    """The major version of the `java` on the PATH; None if there is none that runs."""
    java = shutil.which("java")
    if java is None:
        return None
    answer = run_to_end([java, "-version"])
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found.group(1)) if found and answer.returncode == 0 else None


def missing_for_apache() -> str | None:
    """What Apache Kafka lacks here, or None if it can run."""
    version = java_version()
    if version is None:
        return "Java is not installed"
    if version < LEAST_JAVA:
        return f"Java {version} is older than {LEAST_JAVA}"
    if not are_cached() and shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def resolved_jars(processes: ProcessFolder) -> Path:
    """The folder with the jars, downloading them first if need be (45 MB).

    Raises:
        ToolMissing: Maven is not there.
        StackError: Maven failed; its last words are in the text.
    """
    folder = _jars_folder()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
            _copy_dependencies(processes, Path(draft) / "jars")
            _publish(Path(draft) / "jars", folder)
    return folder


def are_cached() -> bool:
    """Whether the jars are there already."""
    return _jars_folder().exists()


def _jars_folder() -> Path:
    return cache_folder() / f"kafka-{kafka_version()}"


def _copy_dependencies(processes: ProcessFolder, target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        remedy = "install it (Debian: apt-get install maven) or set KAFKA=librdkafka"
        raise ToolMissing("Maven", remedy)
    arguments = [
        maven,
        "--batch-mode",
        "--quiet",
        f"--file={_POM}",
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={target}",
    ]
    child = processes.start(Command("maven", arguments, dict(os.environ)))
    code = child.wait(_RESOLVE_DEADLINE_S)
    processes.forget("maven")
    if code != 0:
        words = tail(processes.log_of("maven"), 8)
        raise StackError(
            f"Maven could not fetch Apache Kafka; try again or set KAFKA=librdkafka:\n{words}"
        )


def _publish(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        # Another process was faster, which is as good.
        if not folder.exists():
            raise
