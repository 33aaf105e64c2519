"""What was removed goes for good after a while, with its pictures."""

from datetime import datetime
from functools import partial

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import storage_quotas
from services.gateway.analyses.leftovers import Leftovers
from services.gateway.database import EVERYTHING, Database, empty_log
from services.gateway.records import Analysis, Batch, KeyedRequest, Lesion, Owned, Patient, User

# What is purged, in this order, and what keeps it: a row that belongs to it. There may be one of
# somebody whose records were out of sight of who removed it, and it must not go along unasked.
_KEPT_BY: dict[type[Owned], list[ColumnElement[bool]]] = {
    Analysis: [],
    Batch: [col(Analysis.batch) == col(Batch.id)],
    Lesion: [col(Analysis.lesion) == col(Lesion.id)],
    Patient: [col(Lesion.patient) == col(Patient.id), col(Analysis.patient) == col(Patient.id)],
}

_ROWS_AT_ONCE = 100


class Retention:
    """Removes for good what was removed."""

    def __init__(self, database: Database, leftovers: Leftovers) -> None:
        self._database = database
        self._leftovers = leftovers

    async def purge(self, before: datetime) -> int:
        """Remove for good what was removed before a moment; return how many analyses it were.

        A lesion or patient stays while anything that is not purged belongs to it. Of pictures
        all go that no record has, also those that an earlier purge was killed before, and those
        of records that were purged beside another gateway of the database.

        Others may work with the same records and pictures meanwhile.
        """
        removed = 0
        while await self._database.write(partial(_forget_bodies, before), EVERYTHING):
            pass
        for table in _KEPT_BY:
            while count := await self._database.write(partial(_purge, table, before), EVERYTHING):
                removed += count if table is Analysis else 0
        await self._database.read(empty_log, EVERYTHING)
        # One without anybody from back then is a new one, and more likely the wrong one: who
        # has something to be purged was there before they removed it.
        somebody = select(col(User.id)).where(col(User.created_at) < before).limit(1)
        if await self._database.read(lambda session: session.scalar(somebody), EVERYTHING):
            await self._leftovers.clear()
        return removed


def due(table: type[Owned], before: datetime) -> Select[Owned]:
    """Return the question for some of what was removed before a moment, oldest first."""
    at = col(table.deleted_at)
    unasked = (~exists().where(link) for link in _KEPT_BY[table])
    return select(table).where(at < before, *unasked).order_by(at).limit(_ROWS_AT_ONCE)


def _purge(table: type[Owned], before: datetime, session: Session) -> int:
    """Remove some of what was removed before a moment; return how much."""
    rows = due(table, before).with_for_update(skip_locked=True)
    gone = list(session.scalars(rows))
    for row in gone:
        session.delete(row)
    # A file that could not be used was never counted.
    analyses = (row for row in gone if isinstance(row, Analysis) and row.image_sha256)
    pictures = ((row, row.kept_bytes or 0) for row in analyses)
    storage_quotas.give_back(pictures, session)
    return len(gone)


def _forget_bodies(before: datetime, session: Session) -> int:
    """Forget what some of those requests brought that may have made what is purged.

    Numbers of patients could be tried on it. What was removed before a moment was made before it.
    Returns how many they were.
    """
    at = col(KeyedRequest.created_at)
    known = select(KeyedRequest).where(at < before, col(KeyedRequest.fingerprint) != "")
    rows = list(session.scalars(known.order_by(at).limit(_ROWS_AT_ONCE).with_for_update()))
    for row in rows:
        row.fingerprint = ""
    return len(rows)
