"""Every operation of the OpenAPI document, as something to be tried."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from services.gateway.identity import Permission
from tests import specimens
from tests.gateway.conftest import Client, Gateway

SEARCHED = "Planted"
"""What is looked for, where something is looked for by its name."""

_JSON = "application/json"
_FILES = ("image", "images")
_ABOUT_AN_ID = re.compile(r"a-f\]\{32\}|\b[Ii]d of\b")


@dataclass(frozen=True)
class Operation:
    """One of the document's."""

    name: str
    method: str
    path: str
    permissions: frozenset[Permission]
    secured: bool
    statuses: frozenset[int]
    about: dict[str, Any] = field(compare=False, repr=False)

    @property
    def of_a_record(self) -> bool:
        """Whether its path names something."""
        return "{" in self.path

    @property
    def parameters(self) -> set[str]:
        """What its path names."""
        return set(re.findall(r"{(\w+)}", self.path))

    @property
    def lists(self) -> bool:
        """Whether it shows what there is, or figures of it."""
        return (self.method == "GET" and not self.of_a_record) or self.searches

    @property
    def searches(self) -> bool:
        """Whether it lists what its body asks for."""
        return self.name.startswith("search_")

    @property
    def body(self) -> dict[str, Any]:
        """The document's example; of a change, that of none."""
        if self.method == "PATCH":
            return {}
        example: dict[str, Any] = self.about["requestBody"]["content"][_JSON]["example"]
        return example

    async def tried(self, by: Client, ids: dict[str, str]) -> httpx.Response:
        """Ask for it, with nothing in its body that changes anything."""
        options: dict[str, Any] = {"json": {}} if self.method in {"POST", "PUT", "PATCH"} else {}
        if self.method in {"PATCH", "DELETE"}:
            options["headers"] = {"If-Match": "*"}
        if self.searches:
            options["json"] = {"name": SEARCHED}
        if self.name == "events":
            # Without it a stream begins with what comes next, which is nothing.
            options["headers"] = {"Last-Event-ID": "0"}
        answer = await by(self.method, self.path.format(**ids), **options)
        assert answer.status_code in self.statuses, f"{self.name} undocumented: {answer.text}"
        return answer


@dataclass(frozen=True)
class Reference:
    """A place in a request where the id of something may stand."""

    operation: Operation
    where: str
    """``query``, ``header``, or the media type of a body."""
    name: str
    files: tuple[str, ...] = ()

    async def asked(self, by: Client, meant: str) -> httpx.Response:
        """Ask with this id there, and all else as it should be."""
        options: dict[str, Any]
        if self.where == "query":
            options = {"params": {self.name: meant}}
        elif self.where == "header":
            options = {"headers": {self.name: meant}}
        elif self.where == _JSON:
            options = {"json": self.operation.body | {self.name: meant}}
        else:
            picture = ("picture", specimens.lesion_jpeg((64, 48)))
            options = {"data": {self.name: meant}, "files": dict.fromkeys(self.files, picture)}
        return await by(self.operation.method, self.operation.path, **options)


def operations(gateway: Gateway) -> Iterator[Operation]:
    """All of them."""
    for path, methods in gateway.app.openapi()["paths"].items():
        for method, about in methods.items():
            asked = [
                scope for way in about.get("security", []) for s in way.values() for scope in s
            ]
            yield Operation(
                about["operationId"],
                method.upper(),
                path,
                frozenset(map(Permission, asked)),
                "security" in about,
                frozenset(map(int, about["responses"])),
                about,
            )


def references(gateway: Gateway) -> Iterator[Reference]:
    """All places for ids, besides those in paths."""
    shapes = gateway.app.openapi()["components"]["schemas"]
    for operation in operations(gateway):
        for parameter in operation.about.get("parameters", ()):
            if parameter["in"] != "path" and _is_id(parameter["name"], parameter):
                yield Reference(operation, parameter["in"], parameter["name"])
        for kind, content in operation.about.get("requestBody", {}).get("content", {}).items():
            shape = content["schema"]
            fields = shapes.get(shape.get("$ref", "").rpartition("/")[2], shape).get(
                "properties", {}
            )
            for name, about in fields.items():
                if _is_id(name, about):
                    yield Reference(operation, kind, name, tuple(fields.keys() & {*_FILES}))


def _is_id(name: str, about: dict[str, Any]) -> bool:
    return name.lower().endswith(("_id", "-id")) or bool(_ABOUT_AN_ID.search(str(about)))
