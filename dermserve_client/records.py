"""Patients and lesions: made, listed, shown, changed, removed."""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from dermserve_client.reports import Reported
from dermserve_client.shapes import Lesion, Moment, Patient, Webhook
from dermserve_client.wire import Wire

_Record = TypeVar("_Record", Patient, Lesion, Webhook)


class Records(Generic[_Record]):
    """What can be changed, if nobody else changed it meanwhile."""

    _shape: type[_Record]
    _path: str

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def get(self, record_id: str) -> _Record:
        """Show one, with the ``etag`` that a change needs."""
        return self._shape.read(self._wire.send("GET", f"{self._path}/{record_id}"))

    def change(self, record: _Record, **values: Any) -> _Record:
        """Change some values of a record, if nobody changed it since it was seen.

        Raises:
            ProblemError: ``changed-meanwhile``, where somebody did.
            ValueError: it is from a list, which does not tell the revision.

        """
        path = f"{self._path}/{record.id}"
        return self._shape.read(
            self._wire.send("PATCH", path, json=values, headers=record.if_match())
        )

    def remove(self, record: _Record) -> None:
        """Remove a record with all that belongs to it; raises what ``change`` does."""
        self._wire.send("DELETE", f"{self._path}/{record.id}", headers=record.if_match())

    def _made(self, values: dict[str, Any]) -> _Record:
        given = {name: value for name, value in values.items() if value is not None}
        return self._shape.read(self._wire.make(self._path, json=given))


class Patients(Records[Patient]):
    """The patients that the caller may see."""

    _shape = Patient
    _path = "/v1/patients"

    def create(
        self,
        identifier: str,
        *,
        issuer: str = "",
        name: str | None = None,
        birth_date: str | None = None,
        sex: str | None = None,
    ) -> Patient:
        """Make a patient; there is one of each identifier and issuer."""
        return self._made(
            {
                "identifier": identifier,
                "issuer": issuer,
                "name": name,
                "birth_date": birth_date,
                "sex": sex,
            }
        )

    def list(
        self, *, identifier: str | None = None, issuer: str | None = None
    ) -> Iterator[Patient]:
        """Yield patients, newest first."""
        filters = {"identifier": identifier, "issuer": issuer}
        return self._wire.listed(Patient, self._path, filters)

    def search(self, name: str) -> Iterator[Patient]:
        """Yield patients whose names have words that begin with these, newest first.

        Neither case nor accents count.
        """
        return self._wire.listed(Patient, "/v1/patient-search", search={"name": name})


class Lesions(Records[Lesion], Reported):
    """The lesions that the caller may see."""

    _shape = Lesion
    _path = "/v1/lesions"

    def create(
        self, patient_id: str, *, body_site: str | None = None, note: str | None = None
    ) -> Lesion:
        """Make a lesion of a patient."""
        return self._made({"patient": patient_id, "body_site": body_site, "note": note})

    def list(self, *, patient: str | None = None) -> Iterator[Lesion]:
        """Yield lesions, newest first."""
        return self._wire.listed(Lesion, self._path, {"patient": patient})

    def timeline(self, lesion_id: str) -> Iterator[Moment]:
        """Yield what was found in each picture of a lesion, oldest first."""
        return self._wire.listed(Moment, f"{self._path}/{lesion_id}/timeline")
