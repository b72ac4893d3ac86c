"""Decides whether a message's schema may change without a new version of its type.

Old messages stay on the topics for days, and producers and consumers are never deployed
together: each must read what the other wrote. So an optional field may be added, and
nothing else; even a new enum value would be refused by consumers that do not know it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_ANNOTATIONS: Final = frozenset({"title", "description", "examples", "default", "$defs"})
_FOLLOWED: Final = frozenset({"properties", "required", "items", "anyOf", "enum", "$ref"})
_MISSING: Final = object()


def incompatibilities(old_schema: Schema, new_schema: Schema) -> list[str]:
    """What of the new schema breaks readers or messages of the old one; empty if nothing.

    Both are what pydantic writes in mode "serialization": there a field with a default is
    listed as required, so a field counts as optional if its property has a default.
    """
    return list(_compare("message", _Place(old_schema), _Place(new_schema)))


class _Place:
    """A part of a schema together with the document that its references point into."""

    def __init__(self, part: Schema, document: Schema | None = None) -> None:
        self.document = part if document is None else document
        reference = part.get("$ref")
        self.part = part if reference is None else {**self._resolve(reference), **part}

    def child(self, part: Schema) -> "_Place":
        return _Place(part, self.document)

    def _resolve(self, reference: str) -> Schema:
        name = reference.removeprefix("#/$defs/")
        definition: Schema = self.document["$defs"][name]
        return definition


def _compare(path: str, old: _Place, new: _Place) -> Iterator[str]:
    yield from _compare_keywords(path, old.part, new.part)
    yield from _compare_enum(path, old.part, new.part)
    yield from _compare_properties(path, old, new)
    if "items" in old.part and "items" in new.part:
        yield from _compare(f"{path}[]", old.child(old.part["items"]), new.child(new.part["items"]))
    elif "items" in old.part or "items" in new.part:
        yield f"{path}: items changed"
    yield from _compare_alternatives(path, old, new)


def _compare_keywords(path: str, old: Schema, new: Schema) -> Iterator[str]:
    for keyword in sorted((old.keys() | new.keys()) - _ANNOTATIONS - _FOLLOWED):
        before, after = old.get(keyword, _MISSING), new.get(keyword, _MISSING)
        if before != after:
            yield f"{path}: {keyword} changed from {_show(before)} to {_show(after)}"


def _show(value: object) -> str:
    return "nothing" if value is _MISSING else repr(value)


def _compare_enum(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = set(old.get("enum", ())), set(new.get("enum", ()))
    if removed := sorted(before - after):
        yield f"{path}: enum values removed: {', '.join(removed)}"
    if added := sorted(after - before):
        yield f"{path}: enum values added: {', '.join(added)}"


def _compare_properties(path: str, old: _Place, new: _Place) -> Iterator[str]:
    before, after = old.part.get("properties", {}), new.part.get("properties", {})
    for name in sorted(before.keys() | after.keys()):
        here = f"{path}.{name}"
        if name not in after:
            yield f"{here}: vanished"
        elif name not in before:
            if "default" not in after[name]:
                yield f"{here}: required field added"
        else:
            yield from _compare_default(here, before[name], after[name])
            yield from _compare(here, old.child(before[name]), new.child(after[name]))


def _compare_default(path: str, old: Schema, new: Schema) -> Iterator[str]:
    before, after = old.get("default", _MISSING), new.get("default", _MISSING)
    if before != after:
        yield f"{path}: default changed from {_show(before)} to {_show(after)}"


def _compare_alternatives(path: str, old: _Place, new: _Place) -> Iterator[str]:
    before, after = old.part.get("anyOf", []), new.part.get("anyOf", [])
    if len(before) != len(after):
        yield f"{path}: type changed: {len(before)} alternatives became {len(after)}"
        return
    for one, other in zip(before, after, strict=True):
        yield from _compare(path, old.child(one), new.child(other))
