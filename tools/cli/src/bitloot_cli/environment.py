"""Variables of a deployment: those of the process, and of a file of NAME=value lines."""

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from bitloot_cli.failure import fail


def read_environment(env_file: Path | None) -> Mapping[str, str]:
    """The process's variables, over those of the file.

    Raises:
        typer.Exit: the file cannot be read.
    """
    if env_file is None:
        return dict(os.environ)
    if not env_file.is_file():
        fail(f"{env_file} is no file: does the stack run?")
    named = {name: value for name, value in dotenv_values(env_file).items() if value is not None}
    return named | dict(os.environ)
