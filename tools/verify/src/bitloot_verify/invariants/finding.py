"""What a check found: about what, and what is wrong with it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """`subject` is an id and its kind; `says` never holds a time, so that readings compare."""

    subject: str
    says: str
