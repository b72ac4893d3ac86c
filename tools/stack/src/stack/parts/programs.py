"""Server programs that a machine may have: versitygw and Mailpit.

`make servers` builds them into the cache; a variable (`VERSITYGW`, `MAILPIT`) names another file.
Nothing is built or downloaded from here.
"""

import os
import shutil
from pathlib import Path

from stack.errors import StackError

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitloot" / "servers"


def find_program(name: str) -> Path | None:
    """The program that the variable names, or the one on PATH, or the one of `make servers`.

    Raises:
        StackError: the variable names something that cannot be run.
    """
    variable = name.upper()
    wanted = os.environ.get(variable)
    if wanted:
        if not os.access(wanted, os.X_OK):
            raise StackError(f"{variable}={wanted} cannot be run: correct it or unset it")
        return Path(wanted)
    found = shutil.which(name) or shutil.which(name, path=CACHE)
    return Path(found) if found else None
