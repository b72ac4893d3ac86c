"""Arms crash points in running services, each through a file of its own (foundation.crash)."""

from dataclasses import dataclass
from pathlib import Path

from stack.plan import SERVICES_WITH_DATABASE
from stack.processes import write_atomically

from chaos.points import Place


@dataclass(frozen=True, slots=True)
class Arming:
    """A place, the signal without SIG, the hit that counts, and a number that makes it new."""

    place: Place
    ending: str
    hit: int
    number: int

    def __str__(self) -> str:
        """What the service reads."""
        return f"{self.place.point}:{self.ending}:{self.hit}:{self.number}"


@dataclass(frozen=True)
class Triggers:
    """The files that the services of one stack watch."""

    folder: Path

    def settings(self) -> dict[str, dict[str, str]]:
        """What has to be added to each service's environment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return {
            name: {"CRASH_POINT_FILE": str(self._file(name))} for name in SERVICES_WITH_DATABASE
        }

    def arm(self, arming: Arming) -> None:
        """From now on the service ends at its point."""
        write_atomically(self._file(arming.place.service), str(arming))

    def disarm(self, arming: Arming) -> None:
        """Forget it, if it has not happened."""
        self._file(arming.place.service).unlink(missing_ok=True)

    def fired(self, arming: Arming) -> bool:
        """Whether this very arming ended a process."""
        file = self._file(arming.place.service)
        fired = file.with_name(f"{file.name}.fired")
        return fired.exists() and fired.read_text() == str(arming)

    def _file(self, service: str) -> Path:
        return self.folder / service
