"""What stands at the head of every answer, a refused WebSocket's included."""

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Scope

from services.gateway.security_headers import SECURITY_HEADERS


def complete(message: Message, scope: Scope, told: Mapping[str, str]) -> MutableHeaders:
    """Complete the head of an answer; return its headers.

    Args:
        message: that begins the answer.
        scope: of its request.
        told: what this caller is told besides.

    """
    message.setdefault("headers", [])
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    headers.update(told)
    standing = scope.get("state", {}).get("standing")
    if standing is not None:
        headers.update(standing.headers)
    return headers
