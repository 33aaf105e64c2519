"""Whose pictures they are, and of what."""

from datetime import date, datetime

from dermserve_client.shapes.shape import Editable


class Patient(Editable):
    """A patient."""

    id: str
    created_at: datetime
    identifier: str
    issuer: str
    name: str | None
    birth_date: date | None
    sex: str | None


class Lesion(Editable):
    """A lesion of a patient."""

    id: str
    created_at: datetime
    patient: str
    body_site: str | None
    note: str | None
