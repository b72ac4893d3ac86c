"""Who calls a command: stands on record beside what it changed."""

import getpass


def caller() -> str:
    """The user's name; `unknown` where the user has none, as in a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
