"""What an analysis is attached to: a patient, or a lesion and so its patient."""

from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.analyses.subject import Subject
from services.gateway.database import Database, Scope
from services.gateway.records import Analysis, Lesion, Patient


async def attached(subject: Subject, database: Database, scope: Scope) -> Subject:
    """Return what was said of a picture, with what its patient and lesion say of themselves.

    Raises:
        InvalidRequestError: there is no such patient or lesion within the scope, or the lesion
            is another patient's.

    """
    if subject.patient is None and subject.lesion is None:
        return subject
    return await database.read(partial(_attached, subject), scope)


def hold(record: Analysis | Subject, session: Session) -> None:
    """Keep the patient and the lesion of a new record from being removed until it is written.

    Raises:
        InvalidRequestError: one of them was removed while the picture was analyzed.

    """
    # In the order in which they are removed, so that two never wait for each other.
    for table, asked in ((Patient, record.patient), (Lesion, record.lesion)):
        if asked is not None:
            # Said here as well, for who writes beyond a scope.
            there = select(col(table.id)).where(
                col(table.id) == asked, col(table.deleted_at).is_(None)
            )
            if session.scalar(there.with_for_update(read=True)) is None:
                name = table.__name__.lower()
                raise errors.InvalidRequestError(f"{name}: it was removed meanwhile.")


def _attached(subject: Subject, session: Session) -> Subject:
    lesion = None
    if subject.lesion is not None:
        lesion = session.scalar(select(Lesion).where(col(Lesion.id) == subject.lesion))
        if lesion is None or subject.patient not in {None, lesion.patient}:
            raise errors.InvalidRequestError("lesion: there is none of this id and patient.")
    asked = lesion.patient if lesion else subject.patient
    patient = session.scalar(select(Patient).where(col(Patient.id) == asked))
    if patient is None:
        raise errors.InvalidRequestError("patient: there is none of this id among yours.")
    return subject.model_copy(
        update={
            "patient": patient.id,
            "patient_id": subject.patient_id or patient.identifier,
            "patient_name": subject.patient_name or patient.name,
            "body_site": subject.body_site or (lesion.body_site if lesion else None),
        }
    )
