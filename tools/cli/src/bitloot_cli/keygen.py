"""`bitloot keygen`: write every secret that a deployment needs.

The file is readable by its owner only, and an existing one is never overwritten unasked: the keys
in it may be the only ones that open what was stored.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from bitloot_cli.deployment_secrets import SecretFormat, generate_secrets, render
from bitloot_cli.failure import fail


def keygen(
    form: Annotated[
        SecretFormat, typer.Option("--format", help="An env file or a Kubernetes Secret.")
    ] = SecretFormat.ENV,
    out: Annotated[
        Path | None, typer.Option(help="The file to write (mode 0600); without it: stdout.")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write fresh secrets: sealing keys, KEK, token signing key, pepper, link secret."""
    text = render(generate_secrets(), form)
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_secret_file(out, text, overwrite=force)
    except FileExistsError:
        fail(f"{out} exists and may hold the only keys to stored data: use --force to replace it")
    except OSError as error:
        fail(f"cannot write {out}: {error.strerror}")
    typer.echo(f"wrote {out}", err=True)


def write_secret_file(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write `text` to a file that only its owner can read, in one step.

    Raises:
        FileExistsError: the file exists and `overwrite` is false.
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        if overwrite:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
