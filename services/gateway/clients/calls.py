"""One call over the wire: with the time that is left, and every failure in our own words."""

from collections.abc import Callable
from typing import Any, TypeVar

import grpc
from grpc import aio

from services import rpc, telemetry
from services.gateway import errors
from services.gateway.deadlines import Deadline

_Response = TypeVar("_Response")
_log = telemetry.logger(__name__)

# A server that drains ends calls that it has not begun as cancelled; when we cancel one
# ourselves, nobody is left to be answered.
_GONE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)

Refused = Callable[[str, str | None], errors.GatewayError]
"""Makes the error for a request that the service found wrong, from its sentence and its word."""


def our_fault(sentence: str, reason: str | None) -> errors.GatewayError:
    """Make the error for a request that is all ours: no caller could have made it wrong."""
    del reason
    return errors.UpstreamError(sentence)


async def call(
    method: Callable[..., Any],
    request: Any,
    response: type[_Response],
    deadline: Deadline,
    refused: Refused,
) -> _Response:
    """Call a method and return its answer.

    Args:
        method: of a stub.
        request: its message.
        response: the class of its answer.
        deadline: when to stop waiting; the service sees what is left of it.
        refused: makes the error for INVALID_ARGUMENT.

    Raises:
        ServiceDownError: the service is down or draining, or went away while it was at work.
        BusyError: it has too much to do.
        DeadlinePassedError: no answer in time.
        UpstreamError: the service failed.

    """
    try:
        answer = await method(request, timeout=deadline.remaining_s())
    except aio.AioRpcError as error:
        raise _translated(error, refused) from error
    if not isinstance(answer, response):
        raise errors.UpstreamError(f"expected {response.__name__}")
    return answer


def _translated(error: aio.AioRpcError, refused: Refused) -> errors.GatewayError:
    code, details = error.code(), error.details() or ""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return refused(details, rpc.reason_in(error.trailing_metadata()))
    _log.warning("call failed", code=code.name, details=details)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return errors.BusyError("Too much to do now. Try again later.", _pushback_s(error))
    if code in _GONE:
        return errors.ServiceDownError("A service that this needs is down. Try again later.")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.DeadlinePassedError("This took too long. Try again, or try later.")
    return errors.UpstreamError(f"{code.name}: {details}")


def _pushback_s(error: aio.AioRpcError) -> float:
    """Return the wait that the service asks for; a second when it asks for none."""
    for key, value in error.trailing_metadata() or ():
        if key == rpc.PUSHBACK_TRAILER and str(value).isdigit():
            return int(value) / 1000
    return 1.0
