"""Patients and their lesions."""

from datetime import date, datetime

from sqlalchemy import Date, Index, String, text
from sqlmodel import Field

from services.gateway.records.base import ID_LENGTH, UtcDateTime, new_id, now
from services.gateway.records.organisation import Belonging, Owned, removed

_NAME_LENGTH = 200

UNWORDED = text("coalesce(worded, '') <> coalesce(name, '')")
"""Patients whose words are not those of their name: a version before has written it.

Both databases find them by their index only where it is said in the same words.
"""


class Editable(Owned):
    """What people change; ``revision`` counts how often, so that nobody undoes another's change."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=ID_LENGTH)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    revision: int = 1


class Patient(Editable, table=True):
    """A patient, known by an identifier and by who gave it; sex is FHIR's administrative gender.

    ``worded`` is the name whose words are kept to find the patient by.
    """

    __tablename__ = "patients"
    __table_args__ = (
        Index("ix_patients_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
        Index("ix_patients_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index(
            "ix_patients_organisation_id_identifier_issuer",
            "organisation_id",
            "identifier",
            "issuer",
        ),
        Index("ix_patients_unworded", "id", sqlite_where=UNWORDED, postgresql_where=UNWORDED),
        removed(),
    )

    identifier: str = Field(max_length=64)
    issuer: str = Field(default="", max_length=200)
    name: str | None = Field(default=None, max_length=_NAME_LENGTH)
    birth_date: date | None = Field(default=None, sa_type=Date)
    sex: str | None = Field(default=None, max_length=8)
    worded: str | None = Field(default=None, max_length=_NAME_LENGTH)


class PatientWord(Belonging, table=True):
    """A word that a patient is found by. It is compared character by character, in any language."""

    __tablename__ = "patient_words"
    __table_args__ = (
        Index(
            "ix_patient_words_organisation_id_word_patient", "organisation_id", "word", "patient"
        ),
    )

    patient: str = Field(
        primary_key=True, foreign_key="patients.id", ondelete="CASCADE", max_length=ID_LENGTH
    )
    word: str = Field(
        primary_key=True,
        sa_type=String(_NAME_LENGTH).with_variant(
            String(_NAME_LENGTH, collation="C"), "postgresql"
        ),
    )


class Lesion(Editable, table=True):
    """A spot on a patient's skin, looked at again and again."""

    __tablename__ = "lesions"
    __table_args__ = (
        Index("ix_lesions_organisation_id_created_at_id", "organisation_id", "created_at", "id"),
        Index("ix_lesions_owner_id_created_at_id", "owner_id", "created_at", "id"),
        Index("ix_lesions_patient_created_at_id", "patient", "created_at", "id"),
        removed(),
    )

    patient: str = Field(foreign_key="patients.id", ondelete="CASCADE", max_length=ID_LENGTH)
    body_site: str | None = Field(default=None, max_length=32)
    note: str | None = Field(default=None, max_length=2000)
