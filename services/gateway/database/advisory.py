"""PostgreSQL's locks that are no table's and no row's: numbers, all in one space."""

import enum


@enum.unique
class AdvisoryLock(enum.IntEnum):
    """What one process at a time does.

    Any numbers will do, as long as no two are alike and all replicas use the same ones, also those
    of the version before.
    """

    MIGRATION = 7_364_121
    """Who brings the schema up to date lets the others wait with theirs."""
    LINE = 7_364_122
    """Who adds to the line of pictures counts it before."""
    INDEXES = 7_364_123
    """Who builds indexes holds it for as long as that takes."""
