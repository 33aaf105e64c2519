"""The schema, brought from one revision to another."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from services import telemetry
from services.gateway.database.advisory import AdvisoryLock

_log = telemetry.logger(__name__)


def migrate(session: Session, revision: str = "head", patience_s: float = 5) -> None:
    """Bring the schema to a revision, one process at a time; commits nothing.

    Args:
        session: of the database.
        revision: ``"head"``, ``"base"``, or Alembic's word for some steps, such as ``"-1"``.
        patience_s: seconds that PostgreSQL may wait for each lock but that of other migrations.

    """
    connection = session.connection()
    _lock(connection, patience_s)
    config = Config()
    config.set_main_option("script_location", "services.gateway:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    down = revision == "base" or revision.startswith("-")
    (command.downgrade if down else command.upgrade)(config, revision)
    _see_that_all_refers(connection)


def _lock(connection: Connection, patience_s: float) -> None:
    """Let one process migrate while the others wait for it."""
    if connection.dialect.name == "sqlite":
        # Tables that are made anew must not take with them what refers to them. It cannot be
        # turned on again in here: this connection is not given to anybody else.
        connection.detach()
        # Within the transaction of whoever writes, it could not be turned off.
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        # An explicit BEGIN makes SQLite's schema changes part of the transaction.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        # A migration of many rows takes what it takes, and that of another process is no fault.
        for bound in ("statement_timeout", "lock_timeout"):
            connection.execute(text(f"SET LOCAL {bound} = 0"))
        held = AdvisoryLock.MIGRATION
        if not connection.scalar(text(f"SELECT pg_try_advisory_xact_lock({held:d})")):
            _log.info("another process migrates the database, and is waited for")
            connection.execute(text(f"SELECT pg_advisory_xact_lock({held:d})"))
        connection.execute(text(f"SET LOCAL lock_timeout = {patience_s * 1000:.0f}"))


def _see_that_all_refers(connection: Connection) -> None:
    """See that no row refers to a missing one, where that was not looked after meanwhile."""
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if lost is not None:
            raise RuntimeError(f"a row of the table {lost[0]} refers to a missing {lost[2]}")
