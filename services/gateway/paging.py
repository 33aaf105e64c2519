"""Long lists in pages: a page begins where the one before it ended.

A cursor names the last row that was seen, so that rows which come or go meanwhile are neither
shown twice nor left out, and no page costs more than the first. It is good for the order in which
it was given.
"""

import base64
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import list_shown
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
class Order:
    """An order of rows: by a column, and by id where that is the same.

    Attributes:
        column: its name; rows without a value in it have no place in the list.
        descending: whether the largest comes first.
        mark: what its cursors begin with.
        write: puts a value into a cursor.
        read: takes it out again; raises ``ValueError`` or ``OverflowError`` for nonsense.

    """

    column: str
    descending: bool
    mark: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]

    def by(self, table: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
        """Return what the rows of a table are ordered by."""
        columns = col(getattr(table, self.column)), col(table.id)
        first, then = (each.desc() if self.descending else each.asc() for each in columns)
        return first, then

    def after(self, table: Any, cursor: str | None) -> list[ColumnElement[bool]]:
        """Return what only rows after a cursor meet, or all that have a place, without one.

        Raises:
            InvalidRequestError: the cursor is not one of ours, or of another order.

        """
        by: Any = col(getattr(table, self.column))
        name = col(table.id)
        if cursor is None:
            return [by.is_not(None)] if by.nullable else []
        place = Place.read(cursor, self)
        # The bound itself is said too: without it, an index would be read from its beginning.
        if self.descending:
            return [by <= place.value, or_(by < place.value, name < place.id)]
        return [by >= place.value, or_(by > place.value, name > place.id)]


def _microseconds(moment: datetime) -> str:
    return str((moment - _EPOCH) // _MICROSECOND)


def _moment(microseconds: str) -> datetime:
    return _EPOCH + int(microseconds) * _MICROSECOND


def _finite(number: str) -> float:
    found = float(number)
    if not math.isfinite(found):
        raise ValueError("no place in any list")
    return found


def by_moment(column: str, mark: str, *, descending: bool) -> Order:
    """Return an order by a moment; a mark tells its cursors from those of other orders."""
    return Order(column, descending, mark, _microseconds, _moment)


def by_number(column: str, mark: str, *, descending: bool) -> Order:
    """Return an order by a number; a mark tells its cursors from those of other orders."""
    return Order(column, descending, mark, repr, _finite)


NEWEST_FIRST = by_moment("created_at", "", descending=True)
"""The order of every list that is asked for no other."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a row in a list: its value in the order, and its id."""

    value: Any
    id: str
    order: Order = NEWEST_FIRST

    @classmethod
    def of(cls, row: Listed, order: Order = NEWEST_FIRST) -> "Place":
        """Return the place of a row."""
        return cls(getattr(row, order.column), row.id, order)

    @classmethod
    def read(cls, cursor: str, order: Order = NEWEST_FIRST) -> "Place":
        """Return the place that a cursor stands for.

        Raises:
            InvalidRequestError: we did not make this cursor, or for another order.

        """
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), "-_", validate=True)
            value, _, name = text.decode("ascii").removeprefix(order.mark).rpartition(".")
            place = cls(order.read(value), name, order)
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
        text = f"{self.order.mark}{self.order.write(self.value)}.{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def after(table: Any, cursor: str | None) -> list[ColumnElement[bool]]:
    """Return the condition that only rows after a cursor meet; none without a cursor."""
    return NEWEST_FIRST.after(table, cursor)


def newest_first(table: Any) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Return the order of every list that is asked for no other."""
    return NEWEST_FIRST.by(table)


def page(rows: list[_Row], limit: int, order: Order = NEWEST_FIRST) -> Page[_Row]:
    """Cut rows into a page; the audit tells which rows it shows.

    Args:
        rows: up to one more than the limit, which shows whether there is a next page.
        limit: the most rows of a page.
        order: theirs.

    """
    more = len(rows) > limit
    kept = rows[:limit]
    list_shown(row.id for row in kept)
    return Page(kept, Place.of(kept[-1], order).cursor() if more else None)
