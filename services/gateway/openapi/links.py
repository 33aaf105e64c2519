"""Which operation leads to which: whoever made a record can show, change and remove it."""

import re
from collections.abc import Iterator
from typing import Any

from services.gateway.openapi.parameters import CONDITION, takes_condition

_PARAMETER = re.compile(r"\{(\w+)\}")

_ID = "$response.body#/id"

_Operation = dict[str, Any]


def draw(document: dict[str, Any]) -> None:
    """Link each answer that shows one record with what can be done with that record."""
    paths = document["paths"]
    for path, methods in paths.items():
        for method, operation in methods.items():
            made = operation["responses"].get("201") if method == "post" else None
            if made is not None:
                of_one = dict(_of_one(paths, path))
                _link(made, of_one, _ID)
                names = {name.removesuffix("_id") for name, _ in of_one.values()}
                _link_inside(made, document, names)
            shown = operation["responses"].get("200")
            if shown is not None and _PARAMETER.findall(path) and "ETag" in shown["headers"]:
                name = _PARAMETER.findall(path)[0]
                changes = {n: (name, o) for n, (_, o) in _on(path, methods) if takes_condition(o)}
                _link(shown, changes, f"$request.path.{name}")


def _of_one(paths: dict[str, Any], collection: str) -> Iterator[tuple[str, tuple[str, _Operation]]]:
    for path, methods in paths.items():
        if path.startswith(f"{collection}/{{"):
            yield from _on(path, methods)


def _on(path: str, methods: dict[str, Any]) -> Iterator[tuple[str, tuple[str, _Operation]]]:
    names = _PARAMETER.findall(path)
    if len(names) == 1:
        for operation in methods.values():
            yield operation["operationId"], (names[0], operation)


def _link(answer: dict[str, Any], targets: dict[str, tuple[str, _Operation]], place: str) -> None:
    """Draw the links of an answer; `place` says where the id is found."""
    for operation_id, (name, target) in targets.items():
        parameters = {f"path.{name}": place}
        if takes_condition(target) and "ETag" in answer["headers"]:
            parameters[f"header.{CONDITION}"] = "$response.header.ETag"
        answer.setdefault("links", {})[operation_id] = {
            "operationId": operation_id,
            "parameters": parameters,
            "description": target["summary"] + ".",
        }


def _link_inside(answer: dict[str, Any], document: dict[str, Any], names: set[str]) -> None:
    """Draw the links to what is made of the id of a record and needs no more."""
    for methods in document["paths"].values():
        body = methods.get("post", {}).get("requestBody", {}).get("content", {})
        shape = (
            body.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        )
        needed = document["components"]["schemas"].get(shape, {}).get("required", [])
        if len(needed) == 1 and needed[0] in names:
            operation = methods["post"]
            answer.setdefault("links", {})[operation["operationId"]] = {
                "operationId": operation["operationId"],
                "requestBody": {needed[0]: _ID},
                "description": operation["summary"] + ".",
            }
