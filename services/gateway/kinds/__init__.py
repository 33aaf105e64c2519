"""The one table that says which status each error becomes, and how it looks from outside."""

from collections.abc import Mapping

import sqlalchemy.exc

from services.gateway.kinds.callers import CALLERS
from services.gateway.kinds.house import DATABASE_DOWN, HOUSE, UNKNOWN
from services.gateway.kinds.kind import Kind
from services.gateway.kinds.requests import REQUESTS

__all__ = ["ALL", "KINDS", "UNKNOWN", "Kind", "kind_named", "kind_of"]

KINDS: Mapping[type[Exception], Kind] = {**CALLERS, **REQUESTS, **HOUSE}

ALL = tuple({kind.slug: kind for kind in (UNKNOWN, *reversed([*KINDS.values()]))}.values())
"""Every kind of problem once."""


# PostgreSQL's classes for what passes: a lost connection, no room, a lock or bound on time, an
# operator's hand, and two that stood in each other's way.
_PASSING_STATES = ("08", "53", "55", "57", "40001", "40P01")


def kind_named(slug: str) -> Kind:
    """Return the kind of a slug; the unknown one for a slug that there is not, or no more."""
    return next((kind for kind in KINDS.values() if kind.slug == slug), UNKNOWN)


def kind_of(error: Exception) -> Kind:
    """Return the kind of the nearest ancestor of an error that the table names."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and (
        error.connection_invalidated or _passes(error)
    ):
        return DATABASE_DOWN
    for ancestor in type(error).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    return UNKNOWN


def _passes(error: sqlalchemy.exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state is not None and state.startswith(_PASSING_STATES)
