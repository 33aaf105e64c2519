"""The words of names that a version before has written, kept beside other work."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam

from services import telemetry
from services.gateway import name_words
from services.gateway.arrears import OldRows
from services.gateway.database import Database
from services.gateway.records import UNWORDED, Patient, PatientWord, Record

_PATIENTS = Record.metadata.tables[str(Patient.__tablename__)]
_WORDS = Record.metadata.tables[str(PatientWord.__tablename__)]
_FORGETTING = _WORDS.delete().where(_WORDS.c.patient == bindparam("this"))
_MEANT = _PATIENTS.c.id == bindparam("this")
_DONE = _PATIENTS.update().where(_MEANT).values(worded=_PATIENTS.c.name)

_log = telemetry.logger(__name__)


class NameArrears:
    """Keeps words that are not kept yet."""

    def __init__(self, database: Database) -> None:
        """Build over the database, which has them."""
        self._database = database

    async def do(self) -> None:
        """Keep them all."""
        if kept := await _UNWORDED_PATIENTS.fill(self._database):
            _log.info("patients of a version before are found by their names", patients=kept)


def _keep(connection: Connection, patients: Sequence[Row[Any]]) -> None:
    """Keep the words of some patients."""
    these = [{"this": patient.id} for patient in patients]
    words = [word for patient in patients for word in _words(patient)]
    connection.execute(_FORGETTING, these)
    # None of nothing: what is executed without parameters is executed once all the same.
    if words:
        connection.execute(_WORDS.insert(), words)
    connection.execute(_DONE, these)


def _words(patient: Row[Any]) -> list[dict[str, str]]:
    whose = {"patient": patient.id, "organisation_id": patient.organisation_id}
    return [{"word": word, **whose} for word in name_words.of(patient.name or "")]


_UNWORDED_PATIENTS = OldRows(_PATIENTS, UNWORDED, ("organisation_id", "name"), _keep)
