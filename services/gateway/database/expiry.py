"""Rows that no longer count, removed some at a time."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, inspect, select, tuple_
from sqlalchemy.orm import Session

from services.gateway.records import Record


def remove_old(session: Session, at: Any, before: datetime, most: int) -> None:
    """Remove the oldest rows of a table; those that somebody else has in hand stay.

    Args:
        session: of the database.
        at: the column that says how old a row is.
        before: rows of this moment or later stay.
        most: how many to remove.

    """
    table: type[Record] = at.class_
    keys = inspect(table).primary_key
    old = select(*keys).where(at < before).order_by(at).limit(most)
    removal = delete(table).where(tuple_(*keys).in_(old.with_for_update(skip_locked=True)))
    session.execute(removal.execution_options(synchronize_session=False))
