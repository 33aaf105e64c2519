"""The database: opened within a bounded time, brought to the current schema, worked in.

SQLite and PostgreSQL are both meant for production: the first needs no server, the second has
its own backups, roles and tools, and may lie on another machine.
"""

from services.gateway.database.advisory import AdvisoryLock
from services.gateway.database.clock import moment_of
from services.gateway.database.ending import at_last
from services.gateway.database.expiry import empty_log, remove_old
from services.gateway.database.indexes import missing as missing_indexes
from services.gateway.database.migration import migrate
from services.gateway.database.moment import see_one_moment
from services.gateway.database.opening import DatabaseError, build_indexes, opened
from services.gateway.database.publication import ENDED, publish
from services.gateway.database.scope import EVERYTHING, Scope, ScopeError
from services.gateway.database.unscoped import unscoped
from services.gateway.database.work import AnyScope, Database, Source, Within

__all__ = [
    "ENDED",
    "EVERYTHING",
    "AdvisoryLock",
    "AnyScope",
    "Database",
    "DatabaseError",
    "Scope",
    "ScopeError",
    "Source",
    "Within",
    "at_last",
    "build_indexes",
    "empty_log",
    "migrate",
    "missing_indexes",
    "moment_of",
    "opened",
    "publish",
    "remove_old",
    "see_one_moment",
    "unscoped",
]
