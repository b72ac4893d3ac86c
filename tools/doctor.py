"""Say what this machine lacks for BitLoot, each with the line that installs it.

Runs before anything is installed: the standard library only, and syntax that an old Python
understands, so that it can say that it is too old. Exit code 1 if something necessary is missing.
"""

import argparse
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys

LEAST_PYTHON = (3, 11)
LEAST_JAVA = 17
LEAST_DISK_MB = 1500
IS_MAC = platform.system() == "Darwin"


class Finding:
    """One thing that was looked at: `problem` is None if all is well."""

    def __init__(self, name, found, problem=None, remedy="", necessary=True):
        self.name = name
        self.found = found
        self.problem = problem
        self.remedy = remedy
        self.necessary = necessary


def install_line(debian, mac):
    """The command that installs a thing here."""
    if IS_MAC:
        return "brew install " + mac
    sudo = "" if os.geteuid() == 0 else "sudo "
    if shutil.which("apt-get"):
        return sudo + "apt-get update && " + sudo + "apt-get install -y " + debian
    return "install the package that is called " + debian + " on Debian"


def check_python():
    """Python itself."""
    version = platform.python_version()
    if sys.version_info[:2] < LEAST_PYTHON:
        problem = "Python {} is older than 3.11, and no newer one is on the PATH".format(version)
        return Finding("Python", version, problem, install_line("python3", "python@3.13"))
    return Finding("Python", "{} ({})".format(version, sys.executable))


def check_venv():
    """The modules that make a virtual environment; Debian packs them apart."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        package = "python3.{}-venv".format(sys.version_info[1])
        problem = "this Python has no module " + " and no module ".join(missing)
        return Finding("venv", "", problem, install_line(package, "python@3.13"))
    return Finding("venv", "there")


def check_disk():
    """Room for the packages, Kafka's jars and the data."""
    free_mb = shutil.disk_usage(".").free // (1024 * 1024)
    if free_mb < LEAST_DISK_MB:
        problem = "{} MB are free here, {} are needed".format(free_mb, LEAST_DISK_MB)
        return Finding("disk", "", problem, "make room")
    return Finding("disk", "{} MB free".format(free_mb))


def java_version():
    """The major version of Java, None if there is none that runs."""
    if shutil.which("java") is None:
        return None
    process = subprocess.Popen(
        ["java", "-version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    text = process.communicate()[0].decode("utf-8", "replace")
    found = re.search(r'version "(\d+)', text)
    return int(found.group(1)) if process.returncode == 0 and found else None


def check_java():
    """Java, for Apache Kafka."""
    remedy = install_line("openjdk-17-jre-headless", "openjdk@21")
    necessary = os.environ.get("KAFKA") == "apache"
    version = java_version()
    if version is None:
        return Finding("Java", "", "Java is not installed (for Apache Kafka)", remedy, necessary)
    if version < LEAST_JAVA:
        problem = "Java {} is older than {} (for Apache Kafka)".format(version, LEAST_JAVA)
        return Finding("Java", "", problem, remedy, necessary)
    return Finding("Java", str(version))


def check_maven():
    """Maven, which fetches Apache Kafka once."""
    found = shutil.which("mvn")
    if found:
        return Finding("Maven", found)
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = os.path.join(cache, "bitloot")
    if os.path.isdir(folder) and any(name.startswith("kafka-") for name in os.listdir(folder)):
        return Finding("Maven", "not needed: Kafka's jars are in " + folder)
    remedy = install_line("maven", "maven")
    necessary = os.environ.get("KAFKA") == "apache"
    return Finding("Maven", "", "Maven is not installed (fetches Apache Kafka)", remedy, necessary)


def check_browser():
    """A browser, for the tests of the pages."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if shutil.which(name):
            return Finding("browser", shutil.which(name))
    remedy = install_line("chromium", "--cask chromium")
    return Finding("browser", "", "no Chromium: tests of the pages are skipped", remedy, False)


def report(findings, quiet):
    """Print the findings; whether all that is necessary is there."""
    for finding in findings:
        if finding.problem:
            kind = "MISSING" if finding.necessary else "note"
            print("{:8} {}: {}".format(kind, finding.name, finding.problem))
            print("         " + finding.remedy)
        elif not quiet:
            print("ok       {}: {}".format(finding.name, finding.found))
    return not any(finding.problem and finding.necessary for finding in findings)


def main():
    """Look, report, choose the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="say only what is missing")
    options = parser.parse_args()
    findings = [check_python(), check_venv(), check_disk(), check_java(), check_maven()]
    if not options.quiet:
        findings.append(check_browser())
    if not report(findings, options.quiet):
        print("Install what is MISSING, then try again.")
        sys.exit(1)


if __name__ == "__main__":
    main()
