"""The secrets of one stack, made once and kept.

They lie in `<folder>/secrets.env`, which only its owner can read.
"""

import hashlib
import hmac
import secrets
from pathlib import Path

from bitloot_cli.deployment_secrets import generate_secrets

from stack.parts.databases import Login
from stack.processes import write_atomically

_OWN_NAMES = (
    "POSTGRES_PASSWORD",
    "DATABASE_PASSWORD",
    "S3_SECRET_ACCESS_KEY",
    "NOWPAYMENTS_API_KEY",
    "NOWPAYMENTS_IPN_SECRET",
    "NOWPAYMENTS_PASSWORD",
    "KINGUIN_API_KEY",
    "KINGUIN_WEBHOOK_SECRET",
)


class StackSecrets:
    """Values by name. Neither `repr` nor an error shows one."""

    def __init__(self, value_by_name: dict[str, str]) -> None:
        self._value_by_name = value_by_name

    def __getitem__(self, name: str) -> str:
        """The secret of that name."""
        return self._value_by_name[name]

    def pick(self, *names: str) -> dict[str, str]:
        """Several secrets, by name."""
        return {name: self[name] for name in names}

    def login(self, service: str) -> Login:
        """The database role of a service; each has a password of its own."""
        seed = self["DATABASE_PASSWORD"].encode()
        password = hmac.new(seed, service.encode(), hashlib.sha256).hexdigest()
        return Login(service.replace("-", "_"), password)

    def __repr__(self) -> str:
        return f"StackSecrets({', '.join(self._value_by_name)}: **********)"


def load_secrets(folder: Path) -> StackSecrets:
    """Read the secrets of a stack, making those that are missing.

    Existing ones never change: stored keys could not be opened any more.
    """
    file = folder / "secrets.env"
    known = _read(file)
    made = _fresh() | known
    if made != known:
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={value}\n" for name, value in made.items())
        write_atomically(file, text, mode=0o600)
    return StackSecrets(made)


def _fresh() -> dict[str, str]:
    ours = {name: value.get_secret_value() for name, value in generate_secrets().items()}
    return ours | {name: secrets.token_urlsafe(24) for name in _OWN_NAMES}


def _read(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines() if "=" in line)
    return {name: value for name, _, value in pairs}
