"""What can go wrong, and the one table that says which status each error becomes.

Domain code raises these and knows no statuses; the sentence of an error is written for the
person who made the request and says what to do.
"""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy.exc


class GatewayError(Exception):
    """Anything that the gateway refuses or cannot do."""


class UnauthenticatedError(GatewayError):
    """Nobody is signed in, or the proof of it is no good."""


class ForbiddenError(GatewayError):
    """The caller is known and may not do this."""


class NotFoundError(GatewayError):
    """There is no such thing, or it is somebody else's, which looks the same."""


class ConflictError(GatewayError):
    """The request contradicts what is already there."""


class InvalidRequestError(GatewayError):
    """The request is understood and cannot be carried out as it is."""


class InvalidPictureError(InvalidRequestError):
    """The bytes cannot be used as a picture."""


class UnsupportedMediaTypeError(GatewayError):
    """The body is of a kind that this path does not take."""


class TooLargeError(GatewayError):
    """Too many bytes, or too many pixels."""


class UploadTimeoutError(GatewayError):
    """The body took too long to arrive."""


class TooManyAttemptsError(GatewayError):
    """Too many tries; the caller has to wait before another one."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class UnavailableError(GatewayError):
    """Something that the answer needs is down or has too much to do; later may work."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlinePassedError(GatewayError):
    """The answer was not there in time."""


class UpstreamError(GatewayError):
    """A service behind the gateway answered in a way that nobody expects."""


class Kind(NamedTuple):
    """How an error looks from outside.

    Attributes:
        status: of HTTP.
        slug: names the kind of problem for programs.
        title: names it for people; the same at every occurrence.
        detail: what is said instead of the error's own sentence, where that is not for
            the caller's eyes.

    """

    status: int
    slug: str
    title: str
    detail: str | None = None


_DATABASE_DOWN = Kind(
    503, "unavailable", "Not available now", "The database does not answer. Try again later."
)

KINDS: Mapping[type[Exception], Kind] = {
    UnauthenticatedError: Kind(401, "unauthenticated", "Sign in first"),
    ForbiddenError: Kind(403, "forbidden", "Not allowed"),
    NotFoundError: Kind(404, "not-found", "Not found"),
    UploadTimeoutError: Kind(408, "upload-timeout", "The upload took too long"),
    ConflictError: Kind(409, "conflict", "Conflicts with what is there"),
    TooLargeError: Kind(413, "too-large", "Too large"),
    UnsupportedMediaTypeError: Kind(415, "unsupported-media-type", "Unsupported kind of body"),
    InvalidRequestError: Kind(422, "invalid-request", "The request cannot be carried out"),
    InvalidPictureError: Kind(422, "invalid-picture", "The picture cannot be used"),
    TooManyAttemptsError: Kind(429, "too-many-attempts", "Too many tries"),
    UpstreamError: Kind(
        502,
        "bad-upstream",
        "A service behind the gateway failed",
        "A service behind the gateway failed. The log has it by the request id.",
    ),
    UnavailableError: Kind(503, "unavailable", "Not available now"),
    DeadlinePassedError: Kind(504, "deadline-passed", "Not done in time"),
    # The database went away while the gateway runs: asyncpg lets the socket's own error
    # through when it cannot connect, SQLAlchemy wraps the others.
    sqlalchemy.exc.OperationalError: _DATABASE_DOWN,
    sqlalchemy.exc.InterfaceError: _DATABASE_DOWN,
    sqlalchemy.exc.TimeoutError: _DATABASE_DOWN,
    ConnectionError: _DATABASE_DOWN,
}

UNKNOWN = Kind(
    500, "internal", "Internal error", "Something went wrong. The log has it by the request id."
)
"""What a fault of ours looks like: always the same, so that nothing leaks."""


# PostgreSQL's classes for what passes: a lost connection, no room, a lock or bound on time, an
# operator's hand, and two that stood in each other's way.
_PASSING_STATES = ("08", "53", "55", "57", "40001", "40P01")


def kind_of(error: Exception) -> Kind:
    """Return the kind of the nearest ancestor of an error that the table names."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and _passes(error):
        return _DATABASE_DOWN
    for ancestor in type(error).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    return UNKNOWN


def _passes(error: sqlalchemy.exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state is not None and state.startswith(_PASSING_STATES)
