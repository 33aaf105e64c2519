"""Kinds of problems of our own: what is down, slow, full or broken."""

from collections.abc import Mapping

import sqlalchemy.exc

from services.gateway import errors
from services.gateway.kinds.kind import Kind

UNAVAILABLE = Kind(
    503,
    "unavailable",
    "Not available now",
    "Something that the answer needs is down or has too much to do. Nothing was kept: send the "
    "same again after the seconds that `Retry-After` says.",
)
DATABASE_DOWN = UNAVAILABLE._replace(detail="The database does not answer. Try again later.")

HOUSE: Mapping[type[Exception], Kind] = {
    errors.UpstreamError: Kind(
        502,
        "bad-upstream",
        "A service behind the gateway failed",
        "Not your fault, and nothing was kept. Try again; if it stays, tell the operators the "
        "`request_id`.",
        "A service behind the gateway failed. The log has it by the request id.",
    ),
    errors.UnavailableError: UNAVAILABLE,
    errors.DeadlinePassedError: Kind(
        504,
        "deadline-passed",
        "Not done in time",
        "It took longer than the gateway waits. Nothing was kept: try again later.",
    ),
    # As RFC 4331 has it for quotas, in its section 6.
    errors.StorageQuotaExceededError: Kind(
        507,
        "storage-quota-exceeded",
        "As much is kept as may be",
        "As many pictures or bytes are kept for you, or for your organisation, as may be; "
        "`GET /v1/usage` shows them. What is removed counts until it is purged after the "
        "retention. Nothing was kept, and waiting alone does not help: ask an operator for more.",
    ),
    errors.InsufficientStorageError: Kind(
        507,
        "insufficient-storage",
        "No room for anything new",
        "The disk of the gateway is nearly full. Nothing was kept; what is there can still be "
        "read and removed. The operators have to make room before you send it again.",
    ),
    errors.DamagedPictureError: Kind(
        500,
        "damaged-picture",
        "The kept picture is damaged",
        "What is kept is not what was kept, by its SHA-256. Tell the operators the "
        "`request_id`: they can take it from a backup.",
        "The kept picture is damaged. The log has it by the request id.",
    ),
    # The database went away while the gateway runs: asyncpg lets the socket's own error
    # through when it cannot connect, SQLAlchemy wraps the others.
    sqlalchemy.exc.OperationalError: DATABASE_DOWN,
    sqlalchemy.exc.InterfaceError: DATABASE_DOWN,
    sqlalchemy.exc.TimeoutError: DATABASE_DOWN,
    ConnectionError: DATABASE_DOWN,
}

UNKNOWN = Kind(
    500,
    "internal",
    "Internal error",
    "A fault of ours. Tell the operators the `request_id`.",
    "Something went wrong. The log has it by the request id.",
)
"""What a fault of ours looks like: always the same, so that nothing leaks."""
