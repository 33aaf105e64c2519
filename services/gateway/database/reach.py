"""Which parts of a statement can be narrowed to a scope, and which would escape it.

SQLAlchemy's ``with_loader_criteria`` narrows each table that a statement names as records, itself
or by a column, at any depth; it marks those. In an update or a delete it narrows the table that is
changed, and selects within.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnClause,
    Delete,
    Executable,
    FromClause,
    Join,
    Select,
    SelectBase,
    TableClause,
    TextClause,
    Update,
)
from sqlalchemy.orm.context import FromStatement
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromGrouping

from services.gateway.records import Belonging


@functools.lru_cache(maxsize=1)
def belonging() -> tuple[type[Belonging], ...]:
    """Return every table of what belongs to an organisation."""
    return tuple(table for table in _below(Belonging) if hasattr(table, "__table__"))


def touches(statement: Executable) -> bool:
    """Say whether a statement names such a table, or has text, in which nothing can be seen."""
    return any(_is_text(each) or _is_ours(each) for each in _elements(statement))


def reads(statement: Executable) -> bool:
    """Say whether an insert takes what it inserts from somewhere else."""
    return any(_is_text(each) or isinstance(each, SelectBase) for each in _elements(statement))


def escapes(statement: Executable) -> bool:
    """Say whether a part of a select, update or delete would not be narrowed."""
    return any(map(_escapes, _elements(statement)))


def _escapes(element: object) -> bool:
    if isinstance(element, Select):
        return _reads_bare(element)
    if isinstance(element, Update | Delete):
        changed = element.table.description
        return any(source.description != changed for source in _sources(_within(element)))
    return _is_text(element)


def _reads_bare(select: Select[Any]) -> bool:
    """Say whether a select reads from one of those tables without naming it as records."""
    within = list(_within(select))
    records = [each for each in within if _is_record(each)]
    named = {source.description for source in (*_sources(records), *_tables(records))}
    # The key by which SQLAlchemy itself finds a record is a bare column of a table that it names.
    bare = (
        source
        for source in _sources(each for each in within if not _is_record(each))
        if source.description not in named
    )
    joined = (source for source, *_ in select._setup_joins)  # noqa: SLF001 - shown nowhere else
    return any(map(_is_bare, (*bare, *joined, *select._from_obj)))  # noqa: SLF001 - nor this


def _sources(elements: Iterable[object]) -> Iterator[FromClause]:
    """Yield what the columns among some elements are read from."""
    for each in elements:
        if isinstance(each, ColumnClause) and each.table is not None:
            yield each.table


def _tables(elements: Iterable[object]) -> Iterator[FromClause]:
    return (each for each in elements if isinstance(each, FromClause))


def _is_bare(source: object) -> bool:
    """Say whether something that is read from is one of those tables and not read as records."""
    if isinstance(source, Join):
        return _is_bare(source.left) or _is_bare(source.right)
    if _is_record(source):
        return False
    while isinstance(source, AliasedReturnsRows | FromGrouping):
        source = source.element
    return isinstance(source, Join) or _is_ours(source)


def _is_text(element: object) -> bool:
    if isinstance(element, ColumnClause):
        return element.is_literal and element.name != "*"  # which stands in every count
    return isinstance(element, FromStatement | TextClause)


def _is_ours(element: object) -> bool:
    return isinstance(element, TableClause) and element.name in _names()


def _is_record(element: object) -> bool:
    return "parententity" in getattr(element, "_annotations", ())


@functools.lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(str(table.__tablename__) for table in belonging())


def _below(above: type[Belonging]) -> Iterator[type[Belonging]]:
    for table in above.__subclasses__():
        yield table
        yield from _below(table)


def _elements(statement: Executable) -> Iterator[object]:
    return visitors.iterate(statement)  # type: ignore[arg-type]


def _within(element: ClauseElement) -> Iterator[object]:
    """Walk through a statement, but into no select in it."""
    for child in element.get_children():
        if not isinstance(child, SelectBase):
            yield child
            yield from _within(child)
