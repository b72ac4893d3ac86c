"""How a command ends when it cannot do its work."""

from typing import NoReturn

import typer


def fail(reason: str, *, code: int = 1) -> NoReturn:
    """Say why on stderr and end with `code`; never a stack trace.

    Raises:
        typer.Exit: always.
    """
    typer.secho(f"bitloot: {reason}", err=True, fg=typer.colors.RED)
    raise typer.Exit(code)
