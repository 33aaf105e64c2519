"""How operations fail: one answer a status, with an example of each kind of problem."""

from typing import Any

from services.gateway import kinds, problems

REQUEST_ID = "0c5f9e4d7a1b4c6e8f2a3b5d7c9e1f04"
"""An example of one."""

_FIRST = 400
_KINDS = sorted(kinds.ALL, key=lambda kind: (kind.status, kind.slug))

_EVERY = (414, 422, 500)
"""Whoever sends a parameter that there is not, or too much of one, is told so everywhere."""

_WITH_A_BODY = (408, 413, 415)
"""Whoever sends a body may be slow, say too much, or something of another kind."""

_RETRY_AFTER = {
    "description": "Seconds to wait before the next try.",
    "schema": {"type": "integer", "minimum": 1, "examples": [1]},
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {
        "WWW-Authenticate": {
            "description": "How to say who is calling.",
            "schema": {"type": "string", "examples": ["Bearer"]},
            "required": True,
        }
    },
    405: {
        "Allow": {
            "description": "The methods that the path takes.",
            "schema": {"type": "string", "examples": ["GET, HEAD, OPTIONS"]},
            "required": True,
        }
    },
    409: {"Retry-After": _RETRY_AFTER},
    429: {"Retry-After": {**_RETRY_AFTER, "required": True}},
    503: {"Retry-After": {**_RETRY_AFTER, "required": True}},
}


def refer(operation: dict[str, Any]) -> None:
    """Say of an operation which statuses it can fail with."""
    answers = operation["responses"]
    failing = {status: answers.pop(status) for status in [*answers] if int(status) >= _FIRST}
    own = (int(s) for s, answer in failing.items() if problems.MEDIA_TYPE in answer["content"])
    with_a_body = _WITH_A_BODY if "requestBody" in operation else ()
    for status in sorted({*_EVERY, *own, *with_a_body}):
        answers[str(status)] = {"$ref": f"#/components/responses/{_name(status)}"}


def responses() -> dict[str, Any]:
    """Return every answer that operations refer to, by its name."""
    statuses = sorted({kind.status for kind in _KINDS})
    return {_name(status): _response(status) for status in statuses}


def _response(status: int) -> dict[str, Any]:
    shown = {kind.slug: _example(kind) for kind in _KINDS if kind.status == status}
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": ". ".join(example["summary"] for example in shown.values()) + ".",
        "headers": _HEADERS.get(status, {}),
        "content": {problems.MEDIA_TYPE: {"schema": reference, "examples": shown}},
    }


def _example(kind: kinds.Kind) -> dict[str, Any]:
    return {
        "summary": kind.title,
        "value": {
            "type": f"{problems.PAGE}#{kind.slug}",
            "title": kind.title,
            "status": kind.status,
            "detail": kind.detail or kind.help,
            "instance": "/v1/…",
            "request_id": REQUEST_ID,
        },
    }


def _name(status: int) -> str:
    return f"Problem{status}"
