"""Rows that no longer count: removed some at a time, and left in no file."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, inspect, select, tuple_
from sqlalchemy.orm import Session

from services.gateway.database.unscoped import unscoped
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


def empty_log(session: Session) -> None:
    """Empty SQLite's write-ahead log, which has what was there before rows were removed.

    For a session that reads: it waits for others, but not in the midst of a transaction of its
    own. Where somebody goes on reading for longer, the log stays until the next time.
    PostgreSQL sees to its own.
    """
    if session.get_bind().dialect.name == "sqlite":
        unscoped(session).exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
