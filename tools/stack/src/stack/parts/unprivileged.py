"""Run a program without root's rights, for PostgreSQL refuses to be root.

Where the kernel allows it the program gets a user namespace in which root is called `nobody`:
it then sees an ordinary user, and the files stay root's own. Where it does not (most
containers), the program becomes the system user `nobody`, and the folders on the way to its
files are opened for passing through. Used as `python -m stack.parts.unprivileged HOW PROGRAM...`.
"""

import ctypes
import functools
import os
import platform
import pwd
import stat
import sys
from enum import StrEnum
from pathlib import Path

from stack.processes import run_to_end

_CLONE_NEWUSER = 0x10000000
_NOBODY = "nobody"


class Rights(StrEnum):
    """How a program is kept from being root."""

    OWN = "own"
    NAMESPACE = "namespace"
    NOBODY = "nobody"

    def wrap(self, arguments: list[str]) -> list[str]:
        """The command line that runs `arguments` in this way."""
        if self is Rights.OWN:
            return arguments
        return [sys.executable, "-m", "stack.parts.unprivileged", self.value, *arguments]

    def hand_over(self, folder: Path) -> None:
        """Make `folder` and all in it belong to whom the program will be."""
        if self is Rights.OWN:
            return
        owner = 0 if self is Rights.NAMESPACE else pwd.getpwnam(_NOBODY).pw_uid
        if folder.stat().st_uid != owner:
            _chown_tree(folder, owner)

    def open_path_to(self, *files: Path) -> None:
        """Let the program pass through the folders above `files` (not list or read them)."""
        if self is not Rights.NOBODY:
            return
        for folder in {parent for file in files for parent in file.resolve().parents}:
            mode = folder.stat().st_mode
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)


@functools.cache
def rights() -> Rights:
    """The way that works here."""
    if os.geteuid() != 0:
        return Rights.OWN
    if platform.system() == "Linux":
        probe = Rights.NAMESPACE.wrap([sys.executable, "-c", ""])
        if run_to_end(probe).returncode == 0:
            return Rights.NAMESPACE
    return Rights.NOBODY


def _chown_tree(folder: Path, owner: int) -> None:
    os.chown(folder, owner, -1)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, owner, -1, follow_symlinks=False)


def _enter_namespace() -> None:
    inside = pwd.getpwnam(_NOBODY)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside.pw_uid} 0 1")
    Path("/proc/self/gid_map").write_text(f"{inside.pw_gid} 0 1")


def _become_nobody() -> None:
    user = pwd.getpwnam(_NOBODY)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def main() -> None:
    """Give up root's rights, then become the program."""
    how, *arguments = sys.argv[1:]
    if Rights(how) is Rights.NAMESPACE:
        _enter_namespace()
    else:
        _become_nobody()
    os.execvp(arguments[0], arguments)  # noqa: S606 the stack's own command line, no shell


if __name__ == "__main__":
    main()
