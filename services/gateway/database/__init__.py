"""The database: opened within a bounded time, brought to the current schema, worked in.

SQLite and PostgreSQL are both meant for production: the first needs no server, the second has
its own backups, roles and tools, and may lie on another machine.
"""

from services.gateway.database.migration import migrate
from services.gateway.database.opening import Database, DatabaseError, opened

__all__ = ["Database", "DatabaseError", "migrate", "opened"]
