"""Whether one JSON schema still fits where another one stood.

What clients send must be allowed by the new schema as it was by the old one; what they get must be
what the old one announced. Of JSON Schema this knows what the document uses, and of two patterns
only whether they are the same.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

Schema = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_SAME = ("pattern", "format", "uniqueItems")
_NESTED = ("items", "additionalProperties")


class Placed(NamedTuple):
    """A schema, and the document that its references lead into."""

    schema: Schema
    document: dict[str, Any]

    def part(self, schema: Schema) -> "Placed":
        """Return a part of it."""
        return Placed(schema, self.document)

    def resolved(self) -> "Placed":
        """Follow the reference, if it is one."""
        schema = self.schema
        while "$ref" in schema:
            found: Any = self.document
            for step in schema["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            schema = found
        return self.part(schema)

    def ways(self) -> list["Placed"]:
        """Return the alternatives that it names, itself if none."""
        return [self.part(way).resolved() for way in self.schema.get("anyOf", [self.schema])]


def misfits(old: Placed, new: Placed, place: str, *, sent: bool) -> Iterator[str]:
    """Yield why the new schema does not fit, by place.

    Args:
        old: what was announced.
        new: what is there now.
        place: where it stands, for the sentences.
        sent: whether clients send it; otherwise they get it.

    """
    yield from _Fit(sent=sent).between(old, new, place)


class _Fit:
    def __init__(self, *, sent: bool) -> None:
        self._sent = sent
        self._change = "no more" if sent else "now"
        self._within: list[tuple[str, str]] = []

    def between(self, old: Placed, new: Placed, place: str) -> Iterator[str]:
        names = (old.schema.get("$ref", ""), new.schema.get("$ref", ""))
        if all(names) and names in self._within:
            return
        self._within.append(names)
        inner, outer = self._directed(old.resolved(), new.resolved())
        for way in inner.ways():
            # It must fit one of the ways; where it fits none, the nearest says why.
            faults = [list(self._one(*self._directed(way, each), place)) for each in outer.ways()]
            yield from min(faults, key=len)
        self._within.pop()

    def _directed(self, one: Placed, other: Placed) -> tuple[Placed, Placed]:
        """Turn old and new to what must be allowed and what allows it, or the other way round."""
        return (one, other) if self._sent else (other, one)

    def _one(self, old: Placed, new: Placed, place: str) -> Iterator[str]:
        inner, outer = (each.schema for each in self._directed(old, new))
        if other := sorted(_types(inner) - _types(outer)):
            yield from (f"{place}: {kind} {self._change}" for kind in other)
            return
        yield from (f"{place}: {each}" for each in self._values(inner, outer))
        bounds = _bounds(old.schema, new.schema, sent=self._sent)
        yield from (f"{place}: {each}" for each in bounds)
        yield from self._fields(old, new, place)
        for name in _NESTED:
            parts = (old.schema.get(name), new.schema.get(name))
            if isinstance(parts[0], dict) and isinstance(parts[1], dict):
                yield from self.between(old.part(parts[0]), new.part(parts[1]), f"{place}[]")

    def _values(self, inner: Schema, outer: Schema) -> Iterator[str]:
        allowed = _constants(outer)
        if allowed is None:
            return
        mine = _constants(inner)
        if mine is None:
            yield f"any value {self._change}"
        for value in sorted((mine or set()) - allowed):
            yield f"{value} {self._change}"

    def _fields(self, old: Placed, new: Placed, place: str) -> Iterator[str]:
        before, after = (each.schema.get("properties", {}) for each in (old, new))
        inner, outer = (each.schema for each in self._directed(old, new))
        for name in sorted(before.keys() - after.keys()):
            yield f"{place}.{name}: is gone"
        for name in sorted(set(outer.get("required", ())) - set(inner.get("required", ()))):
            if name in after:
                yield f"{place}.{name}: " + ("is needed" if self._sent else "may be left out")
        if outer.get("additionalProperties") is False and "additionalProperties" not in inner:
            yield f"{place}: further fields {self._change}"
        for name in sorted(before.keys() & after.keys()):
            yield from self.between(
                old.part(before[name]), new.part(after[name]), f"{place}.{name}"
            )


def _types(schema: Schema) -> set[str]:
    said = schema.get("type", [])
    return {said} if isinstance(said, str) else set(said)


def _constants(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return {repr(each) for each in schema["enum"]} if "enum" in schema else None


def _bounds(old: Schema, new: Schema, *, sent: bool) -> Iterator[str]:
    """Yield the bounds that are closer for what is sent, or wider for what is got."""
    inner, outer = (old, new) if sent else (new, old)
    for names, sign in ((_LOWER, 1), (_UPPER, -1)):
        for name in names:
            limit, own = outer.get(name), inner.get(name)
            if limit is not None and (own is None or sign * own < sign * limit):
                yield f"{name} was {old.get(name)}, is {new.get(name)}"
    for name in _SAME:
        if name in outer and inner.get(name) != outer[name]:
            yield f"{name} was {old.get(name)!r}, is {new.get(name)!r}"
