"""Examples of what is sent and answered, put together from the examples of the fields."""

from typing import Any

ID = "0192f3a15b7c7d2e8f90a1b2c3d4e5f6"
"""An example of what every record has."""

UNKNOWN = "…"
"""Stands for a text that has no example."""

_BY_NAME: dict[str, Any] = {
    "access_token": "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl",
    "batch": ID,
    "body_site": "posterior torso",
    "current_password": "seven green bicycles",
    "cursor": "MTc3MjQzOTMzMDAwMDAwMC4wMTkyZjNhMTViN2M3ZDJlOGY5MGExYjJjM2Q0ZTVmNg",
    "evaluated_on": "HAM10000, fold 4",
    "execution_provider": "CPUExecutionProvider",
    "identifier": "4711",
    "issuer": "Example Hospital",
    "key": "dsk_4Xa9…",
    "label_name": "Melanocytic nevus",
    "labels": ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"],
    "lesion": ID,
    "lesion_id": "left shoulder 2",
    "name": "Example",
    "new_password": "eleven blue umbrellas",
    "next_cursor": None,
    "note": "Has grown since spring.",
    "notice": "Research and decision support only. Not a diagnosis.",
    "password": "seven green bicycles",
    "patient": ID,
    "patient_id": "4711",
    "patient_name": "Example, Patient",
    "preprocessing": "RGB, area resize to 224 x 224",
    "problem": None,
    "reason": "Regular network, unchanged for years.",
    "refresh_token": "dGhpcyBpcyBhbiBleGFtcGxl",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "username": "dr.example",
    "variant_of": None,
    "version": "3",
    "version_label": "stable",
}
_BY_FORMAT = {"date-time": "2026-03-02T08:15:30Z", "date": "1961-05-17"}
_BY_TYPE: dict[str, Any] = {"boolean": False, "integer": 1, "number": 0.5}

_FORM = "application/x-www-form-urlencoded"

_Document = dict[str, Any]


def show(operation: dict[str, Any], document: _Document) -> None:
    """Give an example of each parameter, of the body, and of the answer."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["example"] = ID
    for described in (operation.get("requestBody", {}), *operation["responses"].values()):
        for kind, content in described.get("content", {}).items():
            if {"example", "examples"} & content.keys():
                continue
            if kind == "application/json":
                content["example"] = of(content["schema"], document)
            elif kind == _FORM:
                content["example"] = _needed(content["schema"], document)


def of(schema: dict[str, Any], document: _Document) -> Any:
    """Return a value that a schema allows; of a text that has no example only that it is one."""
    if "$ref" in schema:
        return of(_shape(schema, document), document)
    if "anyOf" in schema and "examples" not in schema:
        return of(schema["anyOf"][0], document)
    given = schema.get("examples") or schema.get("enum") or [schema.get("const")]
    if given != [None]:
        return given[0]
    if schema.get("type") == "object":
        fields = schema.get("properties", {})
        return {name: _field(name, about, document) for name, about in fields.items()}
    if schema.get("type") == "array":
        parts = schema.get("prefixItems") or [schema.get("items", {})]
        return [of(part, document) for part in parts]
    return _plain(schema)


def _needed(form: dict[str, Any], document: _Document) -> Any:
    """Return the fields that a form cannot do without."""
    shape = _shape(form, document)
    whole = of(shape, document)
    return {name: whole[name] for name in shape["required"]}


def _field(name: str, about: dict[str, Any], document: _Document) -> Any:
    if "examples" not in about and name in _BY_NAME:
        return _BY_NAME[name]
    found = of(about, document)
    return ID if found == UNKNOWN and (name == "id" or name.endswith("_id")) else found


def _shape(reference: dict[str, Any], document: _Document) -> dict[str, Any]:
    shape: dict[str, Any] = document["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
    return shape


def _plain(schema: dict[str, Any]) -> Any:
    if schema.get("default") is not None:
        return schema["default"]
    by_type = _BY_TYPE.get(schema.get("type", ""), UNKNOWN)
    return _BY_FORMAT.get(schema.get("format", ""), by_type)
