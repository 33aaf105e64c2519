"""Patients: one of each identifier and issuer."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, name_words, paging
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Lesion, Organisation, Patient, PatientWord, now
from services.gateway.shelf import Revisions, Shelf, change, remove
from services.gateway.withdrawal import leave_the_line


class Patients:
    """The patients within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shelf = Shelf(database, Patient, "There is no patient of this id among yours.")

    async def create(self, scope: Scope, patient_id: str, values: Mapping[str, Any]) -> Patient:
        """Make a patient.

        Raises:
            ConflictError: there is one of this identifier and issuer.

        """
        patient = Patient(id=patient_id, **values)

        def work(session: Session) -> Patient:
            _see_that_it_is_new(session, scope, patient)
            session.add(patient)
            _keep_words(session, patient)
            return patient

        return await self._database.write(work, scope)

    async def get(self, scope: Scope, patient_id: str) -> Patient:
        """Return one.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        return await self._shelf.get(scope, patient_id)

    async def page(
        self,
        scope: Scope,
        limit: int,
        cursor: str | None,
        identifier: str | None = None,
        issuer: str | None = None,
    ) -> paging.Page[Patient]:
        """List patients, newest first: all, or those of an identifier or issuer.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        asked = {"identifier": identifier, "issuer": issuer}
        conditions = [
            col(getattr(Patient, name)) == value
            for name, value in asked.items()
            if value is not None
        ]
        return await self._shelf.page(scope, conditions, limit, cursor)

    async def named(
        self, scope: Scope, limit: int, cursor: str | None, name: str
    ) -> paging.Page[Patient]:
        """List those whose names have words that begin with the words of another, newest first.

        Raises:
            ValueError: too few characters or too many words are asked for.
            InvalidRequestError: the cursor is not one of ours.

        """
        conditions = [_has_a_word(beginning) for beginning in name_words.asked(name)]
        return await self._shelf.page(scope, conditions, limit, cursor)

    async def change(
        self, scope: Scope, patient_id: str, revisions: Revisions, values: Mapping[str, Any]
    ) -> Patient:
        """Change a patient.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.
            ConflictError: there is another of this identifier and issuer.

        """

        def work(session: Session) -> Patient:
            patient = self._shelf.meant(session, patient_id, revisions)
            number = patient.identifier, patient.issuer
            with session.no_autoflush:
                change(patient, values)
                if (patient.identifier, patient.issuer) != number:
                    _see_that_it_is_new(session, scope, patient)
            if patient.name != patient.worded:
                _keep_words(session, patient)
            return patient

        return await self._database.write(work, scope)

    async def remove(self, scope: Scope, patient_id: str, revisions: Revisions) -> None:
        """Remove a patient with their lesions and analyses.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """

        def work(session: Session) -> None:
            remove(self._shelf.meant(session, patient_id, revisions))
            leave_the_line(session, col(Analysis.patient) == patient_id)
            for table in (Lesion, Analysis):
                theirs = update(table).where(col(table.patient) == patient_id)
                session.execute(theirs.values(deleted_at=now()))

        await self._database.write(work, scope)


def _has_a_word(beginning: str) -> ColumnElement[bool]:
    """Return what only patients meet who are found by a word that begins so."""
    word, behind = col(PatientWord.word), name_words.behind(beginning)
    # Bounds and no pattern: an index has them in this order, and no character means another.
    within = word >= beginning if behind is None else (word >= beginning) & (word < behind)
    return col(Patient.id).in_(select(col(PatientWord.patient)).where(within))


def _keep_words(session: Session, patient: Patient) -> None:
    """Keep what a patient is found by from now on, and nothing that was before."""
    patient.worded = patient.name
    # Before its words, which refer to it; and once, as each writing of it is an event.
    session.flush()
    session.execute(delete(PatientWord).where(col(PatientWord.patient) == patient.id))
    words = name_words.of(patient.name or "")
    session.add_all(PatientWord(patient=patient.id, word=word) for word in words)


def _see_that_it_is_new(session: Session, scope: Scope, patient: Patient) -> None:
    """See that nobody within the scope has the same identifier; others wait meanwhile.

    An index could not tell: what is removed, or another user's where all is private, has none.
    """
    ours = col(Organisation.id) == scope.organisation_id
    # Not its key, which whoever writes an event of it refers to.
    session.execute(select(col(Organisation.id)).where(ours).with_for_update(key_share=True))
    same = select(col(Patient.id)).where(
        col(Patient.identifier) == patient.identifier,
        col(Patient.issuer) == patient.issuer,
        col(Patient.id) != patient.id,
    )
    if session.scalar(same.limit(1)) is not None:
        raise errors.ConflictError("There is a patient of this identifier and issuer already.")
