"""Leave nothing in a file system but what a running Python needs.

Runs as the last thing in a build stage whose whole file system then becomes the base of every
image: no shell, no package manager, no program but Python, no setuid file, no settings of the
machine that built it.
"""

import compileall
import os
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

USER = "bitloot"
USER_ID = 10001
STATE = Path("/var/lib/bitloot")
PROGRAMS = ("usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
# The list of Debian packages (var/lib/dpkg/status) stays: scanners read it.
NOT_NEEDED = (
    *("etc/apt", "etc/dpkg", "etc/cron.d", "etc/cron.daily", "etc/pip.conf", "root", "tmp"),
    *("usr/lib/apt", "usr/lib/dpkg", "usr/lib/python3", "usr/lib/*/gconv", "usr/lib/*/perl*"),
    *("usr/lib/*/libapt-*", "usr/libexec", "usr/local/include", "usr/include", "usr/games"),
    *("usr/local/share/man", "usr/share/bash-completion", "usr/share/bug", "usr/share/dpkg"),
    *("usr/share/doc", "usr/share/gcc", "usr/share/info", "usr/share/lintian"),
    *("usr/share/locale", "usr/share/man", "usr/share/perl*", "usr/share/python*", "usr/src"),
    *("var/backups", "var/cache", "var/lib/apt", "var/lib/dpkg/info", "var/log"),
    *("etc/init.d", "etc/update-motd.d", "usr/lib/init", "usr/lib/udev", "usr/share/debconf"),
    *("usr/lib/*/e2fsprogs", "usr/lib/ssl/misc", "usr/local/lib/python3*/site-packages"),
)
UNUSED_MODULES = ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo")


def main() -> None:
    """Strip the file system at `/`."""
    library = Path(sysconfig.get_path("stdlib"))
    for module in UNUSED_MODULES:
        remove(library / module)
    # Here, because nothing can be written where it runs; by hash, because copies change times.
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    compileall.compile_dir(library, quiet=2, force=True, invalidation_mode=mode)
    add_user()
    root = Path("/")
    for pattern in NOT_NEEDED:
        for path in root.glob(pattern):
            remove(path)
    for program in programs(root):
        remove(program)
    temporary = root / "tmp"
    temporary.mkdir(mode=0o1777)
    temporary.chmod(0o1777)


def add_user() -> None:
    """The user of every image, with a folder that a volume can take its owner from."""
    with Path("/etc/passwd").open("a") as file:
        file.write(f"{USER}:x:{USER_ID}:{USER_ID}::/nonexistent:/usr/sbin/nologin\n")
    with Path("/etc/group").open("a") as file:
        file.write(f"{USER}:x:{USER_ID}:\n")
    STATE.mkdir(parents=True)
    os.chown(STATE, USER_ID, USER_ID)


def programs(root: Path) -> Iterator[Path]:
    """Every program but the interpreter and the links to it."""
    interpreters = {"python", "python3", f"python3.{sys.version_info.minor}"}
    for folder in PROGRAMS:
        if (root / folder).is_symlink() or not (root / folder).is_dir():
            continue
        for path in (root / folder).iterdir():
            if path.name not in interpreters:
                yield path


def remove(path: Path) -> None:
    """Delete a file, a link or a folder with all that is in it, if it is there."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


if __name__ == "__main__":
    main()
