"""What a check says: one line, and never a secret."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`problem` is None when all is well; `remedy` says what to do about it."""

    subject: str
    problem: str | None = None
    remedy: str = ""
    note: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing has to be done."""
        return self.problem is None

    def __str__(self) -> str:
        if self.problem is None:
            return f"ok      {self.subject}{f': {self.note}' if self.note else ''}"
        return f"FAILED  {self.subject}: {self.problem}: {self.remedy}"


def ok(subject: str, note: str = "") -> Outcome:
    """All is well."""
    return Outcome(subject, note=note)


def failed(subject: str, problem: object, remedy: str) -> Outcome:
    """Something has to be done; only the first line of a problem is kept."""
    return Outcome(subject, str(problem).partition("\n")[0].rstrip(": "), remedy)


def merged(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The same finding of several services once."""
    yield from dict.fromkeys(outcomes)
