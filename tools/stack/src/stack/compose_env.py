"""`python -m stack.compose_env`: the secrets of the compose stack, in `.env`, made once.

Compose reads that file by itself. Git ignores it and only its owner can read it. Values that are
there never change: stored keys could not be opened any more; missing ones are added.
"""

import secrets
import sys
from pathlib import Path

from bitloot_cli.deployment_secrets import generate_secrets

from stack.plan import SERVICES_WITH_DATABASE
from stack.processes import write_atomically

FILE = Path(".env")
_PASSWORDS = (
    "POSTGRES_PASSWORD",
    *(f"{name.replace('-', '_').upper()}_DATABASE_PASSWORD" for name in SERVICES_WITH_DATABASE),
    "VERIFY_DATABASE_PASSWORD",
    "S3_SECRET_ACCESS_KEY",
    "NOWPAYMENTS_API_KEY",
    "NOWPAYMENTS_IPN_SECRET",
    "NOWPAYMENTS_PASSWORD",
    "KINGUIN_API_KEY",
    "KINGUIN_WEBHOOK_SECRET",
    "GRAFANA_PASSWORD",
)


def ensure_compose_env(file: Path = FILE) -> list[str]:
    """Write the secrets that `file` lacks; their names."""
    text = file.read_text() if file.exists() else ""
    known = read_compose_env(file)
    missing = {name: value for name, value in _fresh().items() if name not in known}
    if missing:
        if text and not text.endswith("\n"):
            text += "\n"
        lines = "".join(f"{name}={value}\n" for name, value in missing.items())
        write_atomically(file, text + lines, mode=0o600)
    return list(missing)


def read_compose_env(file: Path = FILE) -> dict[str, str]:
    """Every variable of the file, nothing if there is none."""
    lines = file.read_text().splitlines() if file.exists() else []
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _fresh() -> dict[str, str]:
    ours = {name: value.get_secret_value() for name, value in generate_secrets().items()}
    return ours | {name: secrets.token_urlsafe(24) for name in _PASSWORDS}


if __name__ == "__main__":
    made = ensure_compose_env()
    sys.stdout.write(f"{FILE}: {len(made)} secrets made\n" if made else f"{FILE} is complete\n")
