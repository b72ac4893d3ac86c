"""Named places where a test can end the process, to prove that nothing is lost there.

Off unless `CRASH_POINT=name[:signal[:hit]]` is set, for example
`kinguin.after_post:KILL:2` for SIGKILL on the second pass. Never set it in production.
"""

import os
import signal
import time
from collections import Counter

_TARGET, _SIGNAL, _HIT = (*os.environ.get("CRASH_POINT", "").split(":"), "", "")[:3]
_passes: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Mark a place between two effects; does nothing unless it was switched on."""
    if name != _TARGET:
        return
    _passes[name] += 1
    if _passes[name] == int(_HIT or 1):
        os.kill(os.getpid(), signal.Signals[f"SIG{_SIGNAL or 'KILL'}"])
        time.sleep(1)  # a signal that is handled by the event loop must not let the work go on
