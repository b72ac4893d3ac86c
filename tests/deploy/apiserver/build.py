"""Build kube-apiserver and etcd from their Go modules, for test_apiserver.py: `make apiserver`.

Takes five minutes on two cores and Go 1.24 or newer. Both modules have `replace` directives, with
which `go install` refuses them; so each is built inside a module of our own.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

KUBERNETES = "1.34.3"
ETCD = "3.5.21"
STAGING = re.compile(r"(k8s\.io/[a-z0-9-]+) => \./staging")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))) / "bitloot/servers"
MAIN = """package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
"""
STAMP = (
    "-s -w"
    f" -X k8s.io/component-base/version.gitVersion=v{KUBERNETES}"
    f" -X k8s.io/component-base/version.gitMajor={KUBERNETES.split('.', maxsplit=1)[0]}"
    f" -X k8s.io/component-base/version.gitMinor={KUBERNETES.split('.')[1]}"
)


def go(folder: Path, *arguments: str) -> str:
    """What the Go command says.

    Raises:
        SystemExit: there is no Go, or it failed.
    """
    environment = os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
    try:
        answer = subprocess.run(
            ["go", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        sys.exit("Go is not installed: Debian: apt-get install golang; macOS: brew install go")
    if answer.returncode:
        sys.exit(f"go {arguments[0]} failed")
    return answer.stdout


def build_apiserver(folder: Path) -> None:
    """Its parts lie in modules of their own, numbered 0.x for Kubernetes 1.x."""
    module = f"k8s.io/kubernetes@v{KUBERNETES}"
    found = json.loads(go(folder, "mod", "download", "-json", module))
    parts = STAGING.findall((Path(found["Dir"]) / "go.mod").read_text())
    own = f"v0.{KUBERNETES.removeprefix('1.')}"
    lines = [f"replace {part} => {part} {own}" for part in parts]
    write_module(folder, f"k8s.io/kubernetes v{KUBERNETES}", lines)
    (folder / "main.go").write_text(
        'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n'
    )
    go(folder, "mod", "tidy")
    out = str(CACHE / "kube-apiserver")
    go(folder, "build", "-ldflags", STAMP, "-o", out, "k8s.io/kubernetes/cmd/kube-apiserver")


def build_etcd(folder: Path) -> None:
    """Its command is a function of the module."""
    write_module(folder, f"go.etcd.io/etcd/server/v3 v{ETCD}", [])
    (folder / "main.go").write_text(MAIN)
    go(folder, "mod", "tidy")
    go(folder, "build", "-ldflags", "-s -w", "-o", str(CACHE / "etcd"), ".")


def write_module(folder: Path, needed: str, lines: list[str]) -> None:
    """A go.mod that needs one module."""
    text = "\n".join(["module local", "go 1.24.0", f"require {needed}", *lines, ""])
    (folder / "go.mod").write_text(text)


if __name__ == "__main__":
    CACHE.mkdir(parents=True, exist_ok=True)
    for build in (build_etcd, build_apiserver):
        with tempfile.TemporaryDirectory() as name:
            build(Path(name))
    sys.stdout.write(f"kube-apiserver {KUBERNETES} and etcd {ETCD} are in {CACHE}\n")
