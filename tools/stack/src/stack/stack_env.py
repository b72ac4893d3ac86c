"""`.stack/stack.env`: how everything outside reaches a running stack (interfaces.md).

The file exists exactly while the stack is ready.
"""

import os
import sys
from pathlib import Path

from stack.errors import StackError
from stack.plan import SERVICES, SERVICES_WITH_DATABASE, SIMULATORS, Plan
from stack.processes import run_to_end, write_atomically

StackEnv = dict[str, str]
_ADMIN_TOKEN_TTL = "24h"  # noqa: S105  # a duration
_TOKEN_DEADLINE_S = 60.0


def stack_env(plan: Plan, admin_token: str) -> StackEnv:
    """The variables of interfaces.md, "The embedded stack"."""
    urls = {_variable(name, "URL"): plan.url(name) for name in (*SERVICES, *SIMULATORS)}
    databases = {
        _variable(name, "DATABASE_URL"): plan.database_url_by_service[name]
        for name in SERVICES_WITH_DATABASE
    }
    mailbox = {"MAILBOX_DIR": plan.mail.maildir, "MAILPIT_URL": plan.mail.mailpit_url}
    return (
        urls
        | databases
        | {
            "KAFKA_BOOTSTRAP_SERVERS": plan.kafka.bootstrap_servers,
            "KAFKA_KIND": plan.kafka.kind,
            "S3_ENDPOINT_URL": plan.objects.endpoint_url,
            "S3_BUCKET": plan.objects.bucket,
            "S3_ACCESS_KEY_ID": plan.objects.access_key_id,
            "S3_SECRET_ACCESS_KEY": plan.objects.secret_access_key,
        }
        | plan.secrets.pick("NOWPAYMENTS_IPN_SECRET", "KINGUIN_WEBHOOK_SECRET")
        | {"ADMIN_TOKEN": admin_token}
        | {name: value for name, value in mailbox.items() if value}
    )


def stack_env_file(folder: Path) -> Path:
    """Where the file lies."""
    return folder / "stack.env"


def write_stack_env(folder: Path, variables: StackEnv) -> None:
    """Write the file in one step; only its owner can read it, for it holds secrets."""
    text = "".join(f"{name}={value}\n" for name, value in sorted(variables.items()))
    write_atomically(stack_env_file(folder), text, mode=0o600)


def read_stack_env(folder: Path) -> StackEnv | None:
    """The variables of a running stack; None if none is ready."""
    try:
        lines = stack_env_file(folder).read_text().splitlines()
    except FileNotFoundError:
        return None
    return dict(line.split("=", 1) for line in lines if "=" in line)


def issue_admin_token(plan: Plan) -> str:
    """An owner's token, made by the public command, so that it is audited like any other.

    Raises:
        StackError: the command failed.
    """
    settings = plan.environment("orders")
    settings.pop("PYTHONPATH", None)  # the command is of this version, whichever orders runs
    environment = os.environ | settings
    arguments = ["admin-token", "--role", "owner", "--ttl", _ADMIN_TOKEN_TTL]
    command = [sys.executable, "-m", "bitloot_cli", *arguments]
    answer = run_to_end(command, deadline_s=_TOKEN_DEADLINE_S, environment=environment)
    if answer.returncode != 0:
        raise StackError(f"no admin token: {answer.stderr.strip()}")
    return answer.stdout.strip()


def _variable(name: str, suffix: str) -> str:
    return f"{name.replace('-', '_').upper()}_{suffix}"
