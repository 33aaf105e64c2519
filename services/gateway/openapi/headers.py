"""What answers say beside their bodies."""

from typing import Any

from services.gateway.openapi.failures import REQUEST_ID
from services.gateway.openapi.parameters import takes_condition

_REQUEST_ID = {
    "description": "Finds this request in the logs of every service; the caller's own, if it "
    "sent one.",
    "schema": {"type": "string", "examples": [REQUEST_ID]},
    "required": True,
}
_ETAG = {
    "description": "Names the revision of the record, for `If-Match`.",
    "schema": {"type": "string", "pattern": '^"[0-9]+"$', "examples": ['"1"']},
    "required": True,
}
_LOCATION = {
    "description": "Where it is shown from now on.",
    "schema": {"type": "string", "format": "uri-reference"},
    "required": True,
}
_QUOTA = {
    "RateLimit-Policy": {
        "description": "The quota that this counts for: units and seconds, as "
        "draft-ietf-httpapi-ratelimit-headers-11 writes it. Absent where there is none.",
        "schema": {"type": "string", "examples": ['"caller";q=12000;w=60']},
    },
    "RateLimit": {
        "description": "What is left of it, and the seconds until all of it is there again.",
        "schema": {"type": "string", "examples": ['"caller";r=11987;t=42']},
    },
}


def describe(document: dict[str, Any]) -> None:
    """Name the headers of all answers."""
    component = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    quota = {name: {"$ref": f"#/components/headers/{name}"} for name in _QUOTA}
    document["components"]["headers"] = {"RequestId": _REQUEST_ID, **_QUOTA}
    for failure in document["components"]["responses"].values():
        failure["headers"] = {**component, **quota, **failure["headers"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            counted = quota if "429" in operation["responses"] else {}
            for status, answer in operation["responses"].items():
                if "$ref" not in answer:
                    own = _own(document["paths"], path, method, status)
                    answer["headers"] = {**component, **counted, **answer.get("headers", {}), **own}


def _own(paths: dict[str, Any], path: str, method: str, status: str) -> dict[str, Any]:
    """Return the headers that an answer has by what it shows: a record that can be changed."""
    shown = paths[path] if status == "200" else item(paths, path) if status == "201" else {}
    found = {}
    if status == "201" and "get" in shown:
        found["Location"] = _LOCATION
    if method != "delete" and any(map(takes_condition, shown.values())):
        found["ETag"] = _ETAG
    return found


def item(paths: dict[str, Any], collection: str) -> dict[str, Any]:
    """Return the operations on one thing of a collection."""
    within = (path for path in paths if path.startswith(f"{collection}/{{"))
    return next((paths[path] for path in within if path.endswith("}")), {})
