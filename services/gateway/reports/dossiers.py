"""What the database knows of what a report is about, within the scope of whoever asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Batch, Lesion, Patient, Status

MOST_EARLIER = 4
"""Earlier analyses that a report of one analysis shows: what a page has room for."""

MOST_OF_LESION = 100
MOST_OF_BATCH = 1000
"""The report service takes no more."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """Who and what a report is about.

    Attributes:
        patient: None where nobody made them, or they are out of scope.
        lesion: the same.
        analyses: those that it shows or compares with, oldest first.

    """

    patient: Patient | None
    lesion: Lesion | None
    analyses: Sequence[Analysis]


class Dossiers:
    """Finds them; each in one piece of work, so that a report shows one moment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_analysis(self, scope: Scope, record: Analysis) -> Dossier:
        """Return what an analysis is attached to, and the latest ones of its lesion before it."""
        before = tuple_(col(Analysis.created_at), col(Analysis.id)) < (record.created_at, record.id)

        def work(session: Session) -> Dossier:
            return Dossier(
                _patient(session, record.patient),
                _lesion(session, record.lesion),
                _latest(session, record.lesion, MOST_EARLIER, before),
            )

        return await self._database.read(work, scope)

    async def of_lesion(self, scope: Scope, lesion: Lesion) -> Dossier:
        """Return whose a lesion is, and its latest analyses that have an answer."""

        def work(session: Session) -> Dossier:
            analyses = _latest(session, lesion.id, MOST_OF_LESION)
            return Dossier(_patient(session, lesion.patient), lesion, analyses)

        return await self._database.read(work, scope)

    async def of_batch(
        self, scope: Scope, batch: Batch
    ) -> tuple[Sequence[Analysis], Mapping[str, Patient]]:
        """Return a batch's analyses as they are now, by file name, and their patients by id."""
        rows = (
            select(Analysis)
            .where(col(Analysis.batch) == batch.id)
            .order_by(col(Analysis.created_at), col(Analysis.id))
            .limit(MOST_OF_BATCH)
        )

        def work(session: Session) -> tuple[Sequence[Analysis], Mapping[str, Patient]]:
            found = session.scalars(rows).all()
            attached = {record.patient for record in found if record.patient is not None}
            return found, _patients(session, sorted(attached))

        found, patients = await self._database.read(work, scope)
        return sorted(found, key=lambda record: record.file_name or ""), patients


def _patient(session: Session, patient_id: str | None) -> Patient | None:
    if patient_id is None:
        return None
    return session.scalar(select(Patient).where(col(Patient.id) == patient_id))


def _patients(session: Session, ids: Sequence[str]) -> Mapping[str, Patient]:
    rows = select(Patient).where(col(Patient.id).in_(ids))
    return {patient.id: patient for patient in session.scalars(rows)}


def _lesion(session: Session, lesion_id: str | None) -> Lesion | None:
    if lesion_id is None:
        return None
    return session.scalar(select(Lesion).where(col(Lesion.id) == lesion_id))


def _latest(
    session: Session, lesion_id: str | None, most: int, *conditions: ColumnElement[bool]
) -> list[Analysis]:
    """Return the latest analyses of a lesion that have an answer, oldest first."""
    if lesion_id is None:
        return []
    rows = (
        select(Analysis)
        .where(
            col(Analysis.lesion) == lesion_id,
            col(Analysis.status) == Status.SUCCEEDED,
            *conditions,
        )
        .order_by(col(Analysis.created_at).desc(), col(Analysis.id).desc())
        .limit(most)
    )
    return [*reversed(session.scalars(rows).all())]
