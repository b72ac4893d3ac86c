"""Run a command quietly: show that it works and how long, its output only if it fails.

Used by the Makefile before anything is installed, so the standard library only:
`python tools/step.py "fetching packages" pip install ...`.
"""

import subprocess
import sys
import tempfile
import time

PLAIN_LINE_EVERY_S = 10
TICK_S = 0.2


def say(text, end="\n"):
    """Print at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


def wait(child, what):
    """Show the seconds on a terminal, a line now and then elsewhere."""
    began = time.monotonic()
    next_line = PLAIN_LINE_EVERY_S
    while child.poll() is None:
        time.sleep(TICK_S)
        seconds = time.monotonic() - began
        if sys.stdout.isatty():
            say("\r  ... {} ({:.0f} s)".format(what, seconds), end="")
        elif seconds > next_line:
            say("  ... {} ({:.0f} s)".format(what, seconds))
            next_line += PLAIN_LINE_EVERY_S
    start = "\r" if sys.stdout.isatty() else ""
    result = "ok " if child.returncode == 0 else "failed:"
    say("{}  {} {} ({:.1f} s)".format(start, result, what, time.monotonic() - began))


def main():
    """Run the command of the arguments, end as it ends."""
    what, command = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            wait(child, what)
        except KeyboardInterrupt:
            child.terminate()
            child.wait()
        if child.returncode != 0:
            output.seek(0)
            say(output.read())
            sys.exit(1)


if __name__ == "__main__":
    main()
