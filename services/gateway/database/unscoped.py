"""The way past the scope, for what every request writes, and for who makes it."""

from sqlalchemy import Connection
from sqlalchemy.orm import Session


def unscoped(session: Session) -> Connection:
    """Return the connection of a session: what it executes, nobody narrows or checks.

    For statements that are built once and name the organisation themselves: counts, chains and
    events. As records, they would cost several times as much. And for who is calling, who is looked
    for in all organisations anyway.
    """
    return session.connection()
