"""Why a call failed, in a word for machines; the sentence is for people and may change."""

from collections.abc import Iterable

REASON_TRAILER = "dermserve-reason"


def reason_of(error: Exception) -> str | None:
    """Return the word for an error, if it has one as its ``reason``."""
    reason = getattr(error, "reason", None)
    return reason if isinstance(reason, str) else None


def trailer(error: Exception) -> tuple[tuple[str, str], ...]:
    """Return the trailer that carries the word, if there is one."""
    reason = reason_of(error)
    return () if reason is None else ((REASON_TRAILER, reason),)


def reason_in(trailers: Iterable[tuple[str, str | bytes]] | None) -> str | None:
    """Return the word that a failed call came back with, if any."""
    for key, value in trailers or ():
        if key == REASON_TRAILER:
            return str(value)
    return None
