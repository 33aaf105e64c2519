"""Old rows go, from the first on and none between; a row says which was the last that went.

The first row that stays is chained to that one, whose hash the row of the pruning has: so the rest
can be verified as before.
"""

from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.audit import links
from services.gateway.audit.chain import Keys
from services.gateway.audit.note import Note
from services.gateway.audit.trail import fields
from services.gateway.audit.verification import begun_before
from services.gateway.database import Database
from services.gateway.records import AuditRow

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Pruning:
    """One pruning of all chains.

    Attributes:
        before: the moment, as rows write it, before which they are to go.
        operator: the operating system's user who prunes.
        operation: the command.
        keys: to hash the row of it with.

    """

    before: str
    operator: str
    operation: str
    keys: Keys

    async def of(self, chain: str, database: Database) -> int:
        """Prune a chain; return how many rows are gone. Some at a time, each with its own row."""
        gone = 0
        while count := await database.write(partial(self._prune, chain)):
            gone += count
        return gone

    def _prune(self, chain: str, session: Session) -> int:
        ours = col(AuditRow.organisation_id) == chain
        first = func.min(col(AuditRow.sequence))
        begins = session.scalar(select(first).where(ours))
        stays = session.scalar(select(first).where(ours, col(AuditRow.at) >= self.before))
        if begins is None or begins == stays:
            return 0
        if stays is None:
            stays = (session.scalar(select(func.max(col(AuditRow.sequence))).where(ours)) or 0) + 1
        through = min(stays, begins + _AT_ONCE) - 1
        hash_of_last = select(col(AuditRow.hash)).where(ours, col(AuditRow.sequence) == through)
        last = session.scalar(hash_of_last)
        if last is None:
            # What has gaps is left for whoever verifies it.
            return 0
        gone = ours, col(AuditRow.sequence) <= through
        begun = _begun(session, *gone)
        session.execute(delete(AuditRow).where(*gone).execution_options(synchronize_session=False))
        note = Note(
            action=links.PRUNE,
            operation=self.operation,
            subject="audit",
            organisation_id=chain,
            operator=self.operator,
            detail={"through": through, "hash": last, "before": self.before} | begun,
        )
        links.add([fields(note, "done")], self.keys, session)
        return int(through - begins + 1)


def _begun(session: Session, *gone: ColumnElement[bool]) -> dict[str, list[str]]:
    """Return which other chains began by rows that go: who verifies would not miss them else."""
    asked = select(col(AuditRow.action), col(AuditRow.subject_ids), col(AuditRow.detail))
    telling = col(AuditRow.action).in_((links.BEGIN, links.PRUNE))
    found: list[str] = []
    for action, subject, detail in session.execute(asked.where(*gone, telling)):
        found.extend([str(subject)] if action == links.BEGIN else begun_before(detail))
    return {"begun": sorted(found)} if found else {}
