"""Run `bitloot` in the cluster as one service: `run.py production orders admin-token --role owner`.

The Job is made from the service's running Deployment: same settings, secrets, account and network,
the image `tools` of the overlay's release instead. It is shown, and deleted when it has ended.
Uses the kubectl of the PATH with its current context; the standard library only.
"""

import json
import re
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

OVERLAYS = Path(__file__).parent / "overlays"
NAMESPACE = "bitloot"
TOOLS = re.compile(
    r"name: bitloot/tools, newName: (?P<at>\S+), (?P<kind>newTag|digest): (?P<what>\S+)\}"
)
# What only makes sense for a container that answers requests.
OF_SERVICES = ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle", "ports")
DEADLINE_S = 900
POLL_S = 1.0

Manifest = dict[str, Any]


def job(deployment: Manifest, image: str, arguments: list[str], name: str) -> Manifest:
    """The Job that runs these arguments in place of the Deployment's."""
    service = deployment["metadata"]["name"]
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    inner = {key: value for key, value in container.items() if key not in OF_SERVICES}
    inner |= {"name": "command", "image": image, "args": arguments}
    inner["env"] = [*container.get("env", []), _own_database(service)]
    outer = {key: value for key, value in pod.items() if key != "topologySpreadConstraints"}
    outer |= {"containers": [inner], "restartPolicy": "Never", "terminationGracePeriodSeconds": 30}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": DEADLINE_S,
            "ttlSecondsAfterFinished": 3600,
            "template": {
                "metadata": {"labels": labels | {"app.kubernetes.io/component": "command"}},
                "spec": outer,
            },
        },
    }


def _own_database(service: str) -> Manifest:
    # Commands that know several services name each one's database after it.
    variable = f"{service.replace('-', '_').upper()}_DATABASE_URL"
    source = {"name": f"{service}-secrets", "key": "DATABASE_URL"}
    return {"name": variable, "valueFrom": {"secretKeyRef": source}}


def tools_image(text: str) -> str:
    """The image `tools` of a release.

    Raises:
        SystemExit: the release names none.
    """
    found = TOOLS.search(text)
    if found is None:
        sys.exit("the overlay's release names no image bitloot/tools")
    return f"{found['at']}{'@' if found['kind'] == 'digest' else ':'}{found['what']}"


def kubectl(*arguments: str, text: str | None = None, check: bool = True) -> str:
    """What kubectl says; its complaints go where ours do.

    Raises:
        SystemExit: it failed.
    """
    command = ["kubectl", "--namespace", NAMESPACE, *arguments]
    answer = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  of PATH
    if check and answer.returncode:
        sys.exit(answer.returncode)
    return answer.stdout


def run(overlay: str, service: str, arguments: list[str]) -> int:
    """Run it to its end; 0 when it succeeded."""
    image = tools_image((OVERLAYS / overlay / "release/kustomization.yaml").read_text())
    deployment = json.loads(kubectl("get", "deployment", service, "--output=json"))
    name = f"{service}-command-{uuid.uuid4().hex[:8]}"
    kubectl("create", "--filename=-", text=json.dumps(job(deployment, image, arguments, name)))
    try:
        status = _end_of(name)
        sys.stdout.write(kubectl("logs", f"job/{name}", check=False))
    finally:
        kubectl("delete", f"job/{name}", "--wait=false", check=False)
    return 0 if status.get("succeeded") else 1


def _end_of(name: str) -> Manifest:
    """The Job's status once it has ended; its own deadline ends it."""
    while True:
        status: Manifest = json.loads(kubectl("get", f"job/{name}", "--output=json"))["status"]
        if status.get("succeeded") or status.get("failed"):
            return status
        time.sleep(POLL_S)


def main(arguments: list[str]) -> int:
    """The command line.

    Raises:
        SystemExit: wrong arguments.
    """
    known = sorted(path.name for path in OVERLAYS.iterdir())
    match arguments:
        case [overlay, service, *command] if overlay in known and command:
            return run(overlay, service, command)
        case _:
            sys.exit(f"usage: run.py {{{','.join(known)}}} SERVICE COMMAND [ARGUMENT ...]")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
