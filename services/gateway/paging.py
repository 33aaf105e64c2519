"""Long lists in pages, newest first: a page begins where the one before it ended.

A cursor names the last row that was seen, so that rows which come or go meanwhile are neither
shown twice nor left out, and no page costs more than the first.
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col

from services.gateway import errors
from services.gateway.records import is_id

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Listed(Protocol):
    """A record that has a place in a list."""

    id: str
    created_at: datetime


_Row = TypeVar("_Row", bound=Listed)


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Some rows, and where the next page begins; None at the end."""

    items: list[_Row]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a row in a list."""

    created_at: datetime
    id: str

    @classmethod
    def of(cls, row: Listed) -> "Place":
        """Return the place of a row."""
        return cls(row.created_at, row.id)

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Return the place that a cursor stands for.

        Raises:
            InvalidRequestError: we did not make this cursor.

        """
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), "-_", validate=True)
            microseconds, _, name = text.decode("ascii").partition(".")
            place = cls(_EPOCH + int(microseconds) * _MICROSECOND, name)
        except (ValueError, OverflowError):
            place = None
        # Only what we would write ourselves is believed.
        if place is None or not is_id(place.id) or place.cursor() != cursor:
            raise errors.InvalidRequestError(
                "The cursor is not one of ours. Use next_cursor as it was given, or none."
            )
        return place

    def cursor(self) -> str:
        """Return the place as an opaque word."""
        microseconds = (self.created_at - _EPOCH) // _MICROSECOND
        return base64.urlsafe_b64encode(f"{microseconds}.{self.id}".encode()).decode().rstrip("=")


def after(table: Any, cursor: str | None) -> list[ColumnElement[bool]]:
    """Return the condition that only rows after a cursor meet; none without a cursor."""
    if cursor is None:
        return []
    place = Place.read(cursor)
    same_moment = and_(col(table.created_at) == place.created_at, col(table.id) < place.id)
    return [or_(col(table.created_at) < place.created_at, same_moment)]


def newest_first(table: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the order of every list."""
    return col(table.created_at).desc(), col(table.id).desc()


def page(rows: list[_Row], limit: int) -> Page[_Row]:
    """Cut rows into a page.

    Args:
        rows: up to one more than the limit, which shows whether there is a next page.
        limit: the most rows of a page.

    """
    more = len(rows) > limit
    kept = rows[:limit]
    return Page(kept, Place.of(kept[-1]).cursor() if more else None)
