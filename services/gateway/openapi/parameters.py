"""What requests say in parameters and forms, where nothing can be null."""

from typing import Any

CONDITION = "if-match"

_INSTEAD = "if-none-match"
"""Can stand for the condition where something may be made; that one of two is needed, no document
can say."""

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def describe(operation: dict[str, Any], shapes: dict[str, Any]) -> None:
    """Say what the parameters and form fields of an operation really are."""
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        if parameter["name"] == CONDITION and _INSTEAD not in names:
            # Its absence has a status of its own, so the framework takes it for optional.
            parameter["required"] = True
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        if kind in _FORMS:
            form = content["schema"]
            form = shapes.get(form.get("$ref", "").rpartition("/")[2], form)
            fields = form["properties"]
            form["properties"] = {name: _without_null(each) for name, each in fields.items()}


def takes_condition(operation: dict[str, Any]) -> bool:
    """Return whether an operation asks which revision it is meant for."""
    return any(each["name"] == CONDITION for each in operation.get("parameters", ()))


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    ways = [way for way in schema.get("anyOf", ()) if way != {"type": "null"}]
    if len(ways) != 1:
        return schema
    return {**ways[0], **{name: value for name, value in schema.items() if name != "anyOf"}}
