"""Indexes of many analyses, built beside the work that goes on.

PostgreSQL lets nobody write to a table while an index is made on it, unless that is done outside
of a transaction. So migrations leave them out where there are rows, and they are built afterwards.
"""

from sqlalchemy import Connection, MetaData, text
from sqlalchemy.orm import Session

from services.gateway.database.advisory import AdvisoryLock
from services.gateway.database.unscoped import unscoped
from services.gateway.records import Analysis, Record

_ANALYSES = Record.metadata.tables[str(Analysis.__tablename__)]
_ANY = text("SELECT EXISTS (SELECT FROM analyses)")
_BUILT = text("""
    SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = 'analyses'::regclass AND indisvalid
""")


def are_built_later(connection: Connection) -> bool:
    """Say whether a migration leaves the indexes of analyses out."""
    return connection.dialect.name == "postgresql" and bool(connection.scalar(_ANY))


def missing(session: Session) -> list[str]:
    """Return the names of those that are not there, or not complete."""
    connection = unscoped(session)
    if connection.dialect.name != "postgresql":
        return []
    built = set(connection.scalars(_BUILT))
    return sorted({str(index.name) for index in _ANALYSES.indexes} - built)


def build(session: Session) -> list[str]:
    """Build those that are missing, and return their names; none where another process does.

    For a session outside of a transaction, on a connection that is closed in the end: it holds a
    lock, so that none is built twice at once.
    """
    connection = unscoped(session)
    # Many rows take what they take, and the last transactions before it are waited for.
    for bound in ("statement_timeout", "lock_timeout"):
        connection.execute(text(f"SET {bound} = 0"))
    if not connection.scalar(text(f"SELECT pg_try_advisory_lock({AdvisoryLock.INDEXES:d})")):
        return []
    names = missing(session)
    for index in _ANALYSES.to_metadata(MetaData()).indexes:
        if index.name in names:
            # What a build that was interrupted left is in the way.
            connection.execute(text(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}"))
            index.dialect_options["postgresql"]["concurrently"] = True
            index.create(connection)
    return names
