"""How an installation is, for those who look after it."""

from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import Database, Scope
from services.gateway.health import Health
from services.gateway.records import UNFINISHED, Analysis, Status, now


@dataclass(frozen=True, slots=True)
class Line:
    """Analyses that have no answer yet, of those that the caller may see.

    Others' are not counted: an organisation would learn how much another one does.
    """

    queued: int
    running: int
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class State:
    """How the gateway that was asked, and what lies behind it, are now.

    Attributes:
        version: of dermserve.
        started_at: when this process did.
        database: ``"sqlite"`` or ``"postgresql"``.
        checks: ``"ok"``, or what is wrong, by what the gateway needs.
        line: what waits.

    """

    version: str
    started_at: datetime
    database: str
    checks: dict[str, str]
    line: Line


class System:
    """Looks at all that the gateway needs."""

    def __init__(self, database: Database, health: Health) -> None:
        """Build over what is looked at, when the process starts.

        Args:
            database: has the records.
            health: asks everything else.

        """
        self._database = database
        self._health = health
        self._started_at = now()
        # To find it out reads files.
        self._version = version("dermserve")

    async def state(self, scope: Scope) -> State:
        """Say how everything is, and what waits within a scope."""
        kind, line = await self._database.read(_looked_at, scope)
        checks = await self._health.check()
        return State(self._version, self._started_at, kind, checks, line)


def _looked_at(session: Session) -> tuple[str, Line]:
    status = col(Analysis.status)
    asked = select(status, func.count(), func.min(col(Analysis.created_at)))
    rows = session.execute(asked.where(status.in_(UNFINISHED)).group_by(status)).all()
    counts = {found: count for found, count, _ in rows}
    oldest = min((first for *_, first in rows), default=None)
    line = Line(counts.get(Status.QUEUED, 0), counts.get(Status.RUNNING, 0), oldest)
    return session.get_bind().dialect.name, line
