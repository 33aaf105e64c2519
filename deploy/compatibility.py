"""Whether the API still does what its last release promised: ``python -m deploy.compatibility``.

The committed document is compared with that of the last release. A change that a client could
notice as a fault fails the tests, until docs/openapi-changes.json says why it is meant.

With ``--released`` the committed document becomes that of the release, and what was said of its
changes is forgotten; that is a step of every release.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.subset import Placed, misfits

DOCS = Path(__file__).resolve().parents[1] / "docs"
CURRENT = DOCS / "openapi.json"
RELEASED = DOCS / "openapi-released.json"
MEANT = DOCS / "openapi-changes.json"

Document = dict[str, Any]


def main() -> None:
    """Show the changes that break clients, or take the document for released."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--released", action="store_true")
    if parser.parse_args().released:
        RELEASED.write_bytes(CURRENT.read_bytes())
        MEANT.write_text("{}\n")
    for change in breaking(_read(RELEASED), _read(CURRENT)):
        print(change)  # noqa: T201 - what the command is for


def meant() -> dict[str, str]:
    """Return the changes that were meant, each with its reason."""
    reasons: dict[str, str] = _read(MEANT)
    return reasons


def unmentioned() -> set[str]:
    """Return the changes that nobody gave a reason for, and the reasons without a change."""
    return set(breaking(_read(RELEASED), _read(CURRENT))) ^ meant().keys()


def breaking(old: Document, new: Document) -> list[str]:
    """Return what a client of the old document could stumble over in the new one."""
    return sorted(set(_Comparison(old, new).changes()))


class _Comparison:
    """Two documents side by side."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new

    def changes(self) -> Iterator[str]:
        for path, methods in self._old["paths"].items():
            for method, before in methods.items():
                name = f"{method.upper()} {path}"
                after = self._new["paths"].get(path, {}).get(method)
                if after is None:
                    yield f"{name}: is gone"
                else:
                    yield from (f"{name}: {each}" for each in self._operation(before, after))
        shared = self._new["components"]["responses"]
        for name, answer in self._old["components"]["responses"].items():
            yield from self._contents(name, answer, shared.get(name, {}), sent=False)

    def _operation(self, before: Document, after: Document) -> Iterator[str]:
        if before["operationId"] != after["operationId"]:
            yield f"has another operationId, {after['operationId']}"
        yield from self._security(before, after)
        yield from self._parameters(before, after)
        yield from self._body(before.get("requestBody", {}), after.get("requestBody", {}))
        for status, answer in before["responses"].items():
            if status not in after["responses"]:
                yield f"never answers {status} any more"
            elif "content" in answer:
                yield from self._contents(
                    f"answer {status}", answer, after["responses"][status], sent=False
                )

    def _security(self, before: Document, after: Document) -> Iterator[str]:
        known, asked = _scopes(before), _scopes(after)
        if asked is not None and known is None:
            yield "asks who is calling"
        for scope in sorted((asked or set()) - (known or set())):
            yield f"asks for the scope {scope}"

    def _parameters(self, before: Document, after: Document) -> Iterator[str]:
        known, taken = _by_name(before), _by_name(after)
        for name in known.keys() - taken.keys():
            yield f"takes {name} no more"
        for name, parameter in taken.items():
            earlier = known.get(name)
            if parameter.get("required") and not (earlier and earlier.get("required")):
                yield f"needs {name}"
            if earlier:
                yield from self._shapes(name, earlier, parameter, sent=True)

    def _body(self, before: Document, after: Document) -> Iterator[str]:
        if after.get("required") and not before.get("required"):
            yield "needs a body"
        yield from self._contents("body", before, after, sent=True)

    def _contents(
        self, place: str, before: Document, after: Document, *, sent: bool
    ) -> Iterator[str]:
        for kind, content in before.get("content", {}).items():
            if kind not in after.get("content", {}):
                yield f"{place}: no {kind} any more"
            else:
                yield from self._shapes(place, content, after["content"][kind], sent=sent)

    def _shapes(
        self, place: str, before: Document, after: Document, *, sent: bool
    ) -> Iterator[str]:
        old = Placed(before.get("schema", {}), self._old)
        new = Placed(after.get("schema", {}), self._new)
        yield from misfits(old, new, place, sent=sent)


def _scopes(operation: Document) -> set[str] | None:
    """Return what the first way to say who is calling needs; None for nobody."""
    ways = operation.get("security")
    return {scope for scopes in ways[0].values() for scope in scopes} if ways else None


def _by_name(operation: Document) -> dict[str, Document]:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
