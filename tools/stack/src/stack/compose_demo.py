"""`make compose-demo`: sell one key of each source on the compose stack that runs.

Everything goes through the ports that the stack publishes on 127.0.0.1, as a customer and a
shopkeeper would; only the shopkeeper's token is made by the command in a container. Ports and
secrets come from the environment and `.env`, as Compose reads them.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
from rich.console import Console
from rich.text import Text

from stack.catalogue import load_catalogue
from stack.compose_env import FILE, read_compose_env
from stack.demo import print_receipts, sell_both
from stack.endpoints import KafkaServer, ObjectStore
from stack.errors import StackError
from stack.mailboxes import MailAddress
from stack.parts.databases import Login, database_url
from stack.plan import SERVICES_WITH_DATABASE, Plan
from stack.ports import FIXED_PORTS, LOOPBACK
from stack.secrets_file import StackSecrets
from stack.stack_env import StackEnv, stack_env

_TOKEN_DEADLINE_S = 120.0
_ADMIN_TOKEN = (
    *("docker", "compose", "--profile", "tools", "run", "--rm", "--no-deps", "-T", "bitloot"),
    *("admin-token", "--role", "owner", "--ttl", "1h"),
)


def compose_plan(settings: Mapping[str, str], folder: Path) -> Plan:
    """The compose stack as this machine reaches it; `settings` as Compose has them."""

    def address(variable: str, port: int) -> str:
        return f"{LOOPBACK}:{settings.get(variable, port)}"

    return Plan(
        folder=folder,
        port_by_name={
            name: int(settings.get(f"{_constant(name)}_PORT", port))
            for name, port in FIXED_PORTS.items()
        },
        secrets=StackSecrets(dict(settings)),
        database_url_by_service={
            name: database_url(address("POSTGRES_PORT", 5432), _login(settings, name))
            for name in SERVICES_WITH_DATABASE
        },
        kafka=KafkaServer(address("KAFKA_PORT", 9092), "apache", "in a container"),
        objects=ObjectStore(
            f"http://{address('S3_PORT', 7070)}",
            "bitloot-keys",
            "bitloot",
            settings["S3_SECRET_ACCESS_KEY"],
            "us-east-1",
        ),
        mail=MailAddress(
            LOOPBACK,
            int(settings.get("SMTP_PORT", "1025")),
            mailpit_url=f"http://{address('MAILPIT_PORT', 8025)}",
        ),
    )


def run_compose_demo(console: Console) -> int:
    """Sell, print the timeline; the exit code."""
    began = time.monotonic()
    try:
        receipts = asyncio.run(sell_both(_open_shop()))
    except (StackError, httpx.TransportError) as error:
        console.print(Text(f"compose-demo failed: {error}", "red"), soft_wrap=True)
        for name in getattr(error, "suspects", ()):
            console.print(f"see: docker compose logs {name}")
        return 1
    print_receipts(console, receipts)
    seconds = time.monotonic() - began
    console.print(
        f"compose-demo: {len(receipts)} orders delivered (custom 1, kinguin 1) in {seconds:.1f} s",
        highlight=False,
    )
    return 0


def _open_shop() -> StackEnv:
    token = admin_token()
    with tempfile.TemporaryDirectory() as folder:
        plan = compose_plan(compose_settings(), Path(folder))
        load_catalogue(plan, token)
        return stack_env(plan, token)


def compose_settings() -> dict[str, str]:
    """What Compose knows: `.env`, and above it the environment.

    Raises:
        StackError: there is no stack's worth of it.
    """
    settings = read_compose_env() | os.environ
    if "S3_SECRET_ACCESS_KEY" not in settings:
        raise StackError(f"{FILE} is missing or not complete: make compose-up")
    return settings


def admin_token() -> str:
    """An owner's token for an hour, from the command in its own container.

    Raises:
        StackError: the command failed; its words are repeated.
    """
    try:
        answer = subprocess.run(
            _ADMIN_TOKEN, capture_output=True, text=True, check=True, timeout=_TOKEN_DEADLINE_S
        )
    except FileNotFoundError as error:
        raise StackError("docker is not installed") from error
    except subprocess.CalledProcessError as error:
        raise StackError(f"no admin token: {error.stderr.strip()}: make compose-up") from error
    except subprocess.TimeoutExpired as error:
        raise StackError(f"no admin token within {_TOKEN_DEADLINE_S:.0f} s") from error
    return answer.stdout.strip()


def _login(settings: Mapping[str, str], service: str) -> Login:
    return Login(
        service.replace("-", "_"), settings.get(f"{_constant(service)}_DATABASE_PASSWORD", "")
    )


def _constant(name: str) -> str:
    return name.replace("-", "_").upper()


if __name__ == "__main__":
    sys.exit(run_compose_demo(Console()))
