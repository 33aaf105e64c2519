"""The database: opened within a bounded time, brought to the current schema, worked in.

SQLite and PostgreSQL are both meant for production: the first needs no server, the second has
its own backups, roles and tools, and may lie on another machine.
"""

from services.gateway.database.migration import migrate
from services.gateway.database.opening import DatabaseError, opened
from services.gateway.database.scope import EVERYTHING, Scope, ScopeError
from services.gateway.database.work import Database, Within

__all__ = [
    "EVERYTHING",
    "Database",
    "DatabaseError",
    "Scope",
    "ScopeError",
    "Within",
    "migrate",
    "opened",
]
