"""What time it is where all replicas ask: their own clocks differ."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from services.gateway.records import now
from services.gateway.records.base import UtcDateTime


def moment_of(session: Session) -> datetime:
    """Return the database's time, which goes on while a transaction does.

    SQLite has the machine's, as has everybody who works on its file.
    """
    if session.get_bind().dialect.name == "sqlite":
        return now()
    return session.scalars(select(func.clock_timestamp(type_=UtcDateTime()))).one()
