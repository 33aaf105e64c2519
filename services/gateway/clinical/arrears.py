"""The words of names that a version before has written, kept beside other work.

A migration that saw to it would hold everybody up, and replicas of before go on writing until they
are replaced. It may be interrupted at any time, and goes on where it was.
"""

import asyncio
import time
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from services import telemetry
from services.gateway import name_words
from services.gateway.database import EVERYTHING, Database, unscoped
from services.gateway.records import UNWORDED, Patient, PatientWord, Record

_AT_ONCE = 200

_PATIENTS = Record.metadata.tables[str(Patient.__tablename__)]
_WORDS = Record.metadata.tables[str(PatientWord.__tablename__)]
_SOME = (
    select(_PATIENTS.c.id, _PATIENTS.c.organisation_id, _PATIENTS.c.name)
    .where(UNWORDED, _PATIENTS.c.id > bindparam("after"))
    .order_by(_PATIENTS.c.id)
    .limit(_AT_ONCE)
    # What somebody has in hand is seen to at the next look.
    .with_for_update(skip_locked=True)
)
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
        """Keep them all, some at a time."""
        # Nearly always there is nothing, and no writer is held up to see that.
        any_one = select(_PATIENTS.c.id).where(UNWORDED).limit(1)
        if await self._database.read(lambda session: unscoped(session).scalar(any_one), EVERYTHING):
            kept = await self._keep()
            _log.info("patients of a version before are found by their names", patients=kept)

    async def _keep(self) -> int:
        done, after = 0, ""
        while True:
            began = time.monotonic()
            ids = await self._database.write(partial(_keep_some, after), EVERYTHING)
            if not ids:
                return done
            done, after = done + len(ids), ids[-1]
            # Half of the time is for others.
            await asyncio.sleep(time.monotonic() - began)


def _keep_some(after: str, session: Session) -> list[str]:
    """Keep the words of some patients behind another, and return their ids."""
    connection = unscoped(session)
    rows = connection.execute(_SOME, {"after": after}).all()
    these = [{"this": row.id} for row in rows]
    words = [word for row in rows for word in _words(row)]
    # None of nothing: what is executed without parameters is executed once all the same.
    for statement, given in ((_FORGETTING, these), (_WORDS.insert(), words), (_DONE, these)):
        if given:
            connection.execute(statement, given)
    return [row.id for row in rows]


def _words(patient: Any) -> list[dict[str, str]]:
    whose = {"patient": patient.id, "organisation_id": patient.organisation_id}
    return [{"word": word, **whose} for word in name_words.of(patient.name or "")]
