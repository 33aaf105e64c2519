"""What happens to records is written down in the transaction in which it happens.

Nobody has to remember it: the session sees what is added, changed and removed of the tables that
``PUBLISHED`` names, whether as records or by a statement. Events are numbered at the end of it (see
``ending``). The row that counts them is held until the commit, so numbers become visible in their
order, which those of a sequence do not.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, inspect, select
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import ORMExecuteState, Session, UOWTransaction
from sqlmodel import col

from services.gateway.database.scope import ScopedSession
from services.gateway.database.unscoped import unscoped
from services.gateway.records import (
    UNFINISHED,
    Analysis,
    Batch,
    Event,
    EventCount,
    EventKind,
    Lesion,
    Made,
    Owned,
    Patient,
    Status,
    new_id,
    now,
)

CHANNEL = "dermserve_events"
"""On which PostgreSQL tells who listens that an organisation has new events."""


class _Change(Enum):
    MADE = "made"
    CHANGED = "changed"
    REMOVED = "removed"


PUBLISHED: Mapping[type[Owned], Mapping[_Change, EventKind]] = {
    Analysis: {
        _Change.MADE: EventKind.ANALYSIS_SUCCEEDED,  # or as ENDED has it
        _Change.REMOVED: EventKind.ANALYSIS_REMOVED,
    },
    Patient: {
        _Change.MADE: EventKind.PATIENT_CREATED,
        _Change.CHANGED: EventKind.PATIENT_CHANGED,
        _Change.REMOVED: EventKind.PATIENT_REMOVED,
    },
    Lesion: {
        _Change.MADE: EventKind.LESION_CREATED,
        _Change.CHANGED: EventKind.LESION_CHANGED,
        _Change.REMOVED: EventKind.LESION_REMOVED,
    },
}
"""Which event each change of a record is; what a purge deletes was removed before."""

ENDED: Mapping[str, EventKind] = {
    Status.SUCCEEDED: EventKind.ANALYSIS_SUCCEEDED,
    Status.FAILED: EventKind.ANALYSIS_FAILED,
}
"""Which event the end of an analysis is; one that is still to be made ends later, and once."""

_TABLES = {str(table.__tablename__): table for table in PUBLISHED}
_PENDING = "pending events"
_BATCHES = "batches of which a picture ended"

TOLD = "organisations with new events"
"""Where a session that was committed keeps which organisations it wrote events of."""


def _counting(add: Any) -> Any:
    """Return the statement that counts events; others wait with theirs until the commit."""
    more = add(EventCount)
    total = {"count": col(EventCount.count) + more.excluded.count}
    counted = more.on_conflict_do_update(index_elements=["organisation_id"], set_=total)
    return counted.returning(col(EventCount.count))


# Others wait with theirs, so that one of them sees that all have ended.
_BATCH = (
    select(col(Batch.organisation_id), col(Batch.owner_id))
    .where(col(Batch.id) == bindparam("batch"), col(Batch.deleted_at).is_(None))
    .with_for_update(key_share=True)
)
_UNFINISHED = (
    select(col(Analysis.id))
    .where(
        col(Analysis.batch) == bindparam("batch"),
        col(Analysis.deleted_at).is_(None),
        col(Analysis.status).in_(UNFINISHED),
    )
    .limit(1)
)

# Built, and turned into SQL, once.
_ADDITION = insert(Event)
_COUNTING = {"sqlite": _counting(sqlite.insert), "postgresql": _counting(postgresql.insert)}


@dataclass(frozen=True, slots=True)
class _Happened:
    """Something that happened in a session; the same twice is one event."""

    kind: str
    organisation_id: str
    owner_id: str
    subject_id: str


def publish(session: Session, kind: EventKind, subject: Made, subject_id: str) -> None:
    """Have an event written when this session is committed, and not if it is not.

    Args:
        session: in which it happens.
        kind: of event.
        subject: the record that it happens to; who may see that may see the event.
        subject_id: of that record.

    """
    _note(session, _Happened(kind, subject.organisation_id, subject.owner_id, subject_id))
    if isinstance(subject, Analysis) and kind in ENDED.values():
        _note_batch(session, subject.batch)


def _note_batch(session: Session, batch_id: str | None) -> None:
    """Remember that a picture of a batch ended, which may have been its last."""
    if batch_id is not None:
        session.info.setdefault(_BATCHES, set()).add(batch_id)


def _note(session: Session, happened: _Happened) -> None:
    # In the order in which things happen, each once.
    session.info.setdefault(_PENDING, {})[happened] = None


def _note_row(
    session: Session, table: type[Owned], change: _Change, row: Mapping[Any, Any]
) -> None:
    kind = PUBLISHED[table].get(change)
    if table is Analysis and change is _Change.MADE:
        kind = ENDED.get(row["status"])
    if kind is None:
        return
    _note(session, _Happened(kind, row["organisation_id"], row["owner_id"], row["id"]))
    # What is removed may have been waited for; where it had ended before, that was noted then.
    if table is Analysis and (change is _Change.MADE or row["status"] in UNFINISHED):
        _note_batch(session, row["batch"])


@sqlalchemy_event.listens_for(ScopedSession, "before_flush")
def _see_records(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Note what happens to records; their scope has stamped them by now."""
    for row in session.new:
        if type(row) in PUBLISHED:
            _note_row(session, type(row), _Change.MADE, row.__dict__)
    for row in session.dirty:
        if type(row) in PUBLISHED and session.is_modified(row):
            gone = inspect(row).attrs.deleted_at.history.added
            change = _Change.REMOVED if gone else _Change.CHANGED
            _note_row(session, type(row), change, row.__dict__)


@sqlalchemy_event.listens_for(ScopedSession, "do_orm_execute")
def _see_statement(state: ORMExecuteState) -> None:
    """Note what a statement does to records; its scope has narrowed it by now."""
    statement: Any = state.statement
    if not (state.is_insert or state.is_update) or statement.table.name not in _TABLES:
        return
    table = _TABLES[statement.table.name]
    if state.is_update:
        _see_update(state.session, table, statement)
        return
    for row in _rows(state.parameters):
        _note_row(state.session, table, _Change.MADE, row)


def _see_update(session: Session, table: type[Owned], statement: Any) -> None:
    """Hold the rows that an update changes, and note them."""
    names = {getattr(column, "key", column) for column in statement._values or ()}  # noqa: SLF001 - shown nowhere else
    change = _Change.REMOVED if "deleted_at" in names else _Change.CHANGED
    if change not in PUBLISHED[table]:
        return
    # What is out of everybody's sight already goes unnoticed, and so does what comes into it.
    there = col(table.deleted_at).is_(None)
    meant = select(table).where(there, *statement._where_criteria)  # noqa: SLF001 - nor this
    told = {"id", "organisation_id", "owner_id", "status", "batch"} & set(table.model_fields)
    columns = {name: getattr(table, name) for name in told}
    # In one order for all, so that two never wait for each other.
    held = meant.with_only_columns(*columns.values()).order_by(columns["id"])
    for row in session.execute(held.with_for_update()).mappings():
        _note_row(session, table, change, row)


def _rows(parameters: Any) -> Iterable[Mapping[str, Any]]:
    if not parameters:
        raise TypeError("rows of what is published are passed beside the insert, not in it")
    return [parameters] if isinstance(parameters, Mapping) else parameters


def write(session: Session) -> None:
    """Number what happened, write it down, and tell those who listen."""
    session.flush()
    _see_batches(session)
    of: dict[str, list[_Happened]] = defaultdict(list)
    for happened in session.info.pop(_PENDING, ()):
        of[happened.organisation_id].append(happened)
    # Always in the same order, so that two never wait for each other.
    session.info[TOLD] = sorted(of)
    for organisation_id in session.info[TOLD]:
        _write_down(unscoped(session), organisation_id, of[organisation_id])


def _see_batches(session: Session) -> None:
    """Note which batches have finished by what this session did."""
    connection = unscoped(session)
    # Always in the same order, so that two never wait for each other.
    for batch_id in sorted(session.info.pop(_BATCHES, ())):
        whose = connection.execute(_BATCH, {"batch": batch_id}).one_or_none()
        if whose is None or connection.scalar(_UNFINISHED, {"batch": batch_id}) is not None:
            continue
        _note(session, _Happened(EventKind.BATCH_FINISHED, *whose, batch_id))


def _write_down(connection: Connection, organisation_id: str, happened: list[_Happened]) -> None:
    dialect = connection.dialect.name
    more = {"organisation_id": organisation_id, "count": len(happened)}
    last = connection.scalar(_COUNTING[dialect], more)
    first = last - len(happened) + 1
    connection.execute(_ADDITION, list(_rows_of(happened, first)))
    if dialect == "postgresql":
        connection.execute(select(func.pg_notify(CHANNEL, organisation_id)))


def _rows_of(happened: Iterable[_Happened], first: int) -> Iterator[dict[str, Any]]:
    moment = now()
    for number, each in enumerate(happened, first):
        yield {"id": new_id(), "number": number, "created_at": moment, **asdict(each)}
