"""The id by which one request is followed through every room."""

import random
from collections.abc import Callable
from typing import Any

import structlog

REQUEST_ID = "request_id"
"""The name under which a request's id stands in every log line of every room."""

_MAX_LENGTH = 64


def enter_request(received: str | None) -> str:
    """Bind a request's id to this task and return it.

    The caller's id is kept when it is short, printable ASCII, so that a request can be
    followed across systems; anything else is replaced rather than written to a log.

    Args:
        received: the id that came with the request, or None.

    """
    request_id = received if received and _is_harmless(received) else _new_id()
    structlog.contextvars.bind_contextvars(**{REQUEST_ID: request_id})
    return request_id


def current_request_id() -> str | None:
    """Return the id of the request that this task serves, or None outside a request."""
    bound: Callable[[], dict[str, Any]] = structlog.contextvars.get_contextvars
    value = bound().get(REQUEST_ID)
    return value if isinstance(value, str) else None


def _new_id() -> str:
    # No secret, only unlikely to come twice: to ask the system for one costs a call into it.
    return f"{random.getrandbits(128):032x}"


def _is_harmless(text: str) -> bool:
    return (
        len(text) <= _MAX_LENGTH
        and text.isascii()
        and all(character.isalnum() or character in "-_.:" for character in text)
    )
