"""Which status an error is answered with."""

from collections.abc import Mapping

import grpc

from services import telemetry

Statuses = Mapping[type[Exception], grpc.StatusCode]
"""A room's domain errors and the status that each becomes; subclasses inherit."""

_MAX_SENTENCE = 512
"""Characters of a sentence that are sent: it travels in a header, which holds 8 KiB at most."""

_log = telemetry.logger(__name__)


def status_of(error: Exception, statuses: Statuses) -> grpc.StatusCode | None:
    """Return the status of the nearest ancestor of an error that a table names."""
    for ancestor in type(error).__mro__:
        if ancestor in statuses:
            return statuses[ancestor]
    return None


def answer_to(error: Exception, statuses: Statuses) -> tuple[grpc.StatusCode, str]:
    """Return the status and the sentence that an error is answered with.

    An error that the table does not know is a fault of ours: it is logged in full, and the
    caller gets a constant.
    """
    code = status_of(error, statuses)
    if code is None:
        _log.error("call failed", exc_info=error)
        return grpc.StatusCode.INTERNAL, "internal error; the log has it by request id"
    return code, str(error)[:_MAX_SENTENCE]
