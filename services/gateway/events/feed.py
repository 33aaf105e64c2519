"""Events of an organisation, read in their order."""

import asyncio
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway.database import EVERYTHING, Database, Scope
from services.gateway.records import Event, EventCount, is_id, now

_CLEANED_AT_ONCE = 1000
_CLEANED_EVERY_S = 3600.0

_log = telemetry.logger(__name__)


class Feed:
    """The events that are kept, each for whoever may see the record that it is of.

    Numbers count within an organisation. An event is seen only when all before it can be: to go on
    after the last number that one has seen misses nothing, as long as it is not older than what is
    kept.
    """

    def __init__(self, database: Database, lifetime: timedelta) -> None:
        """Build over the database.

        Args:
            database: has them.
            lifetime: how long they are kept.

        """
        self._database = database
        self._lifetime = lifetime

    async def after(self, scope: Scope, number: int, limit: int) -> list[Event]:
        """Return the first events after a number that lie within a scope."""
        rows = (
            select(Event)
            .where(col(Event.organisation_id) == scope.organisation_id, col(Event.number) > number)
            .order_by(col(Event.number))
            .limit(limit)
        )
        return await self._database.read(lambda session: list(session.scalars(rows)), scope)

    async def newest(self, organisation_id: str) -> int:
        """Return the number of the newest event of an organisation, kept or not; 0 for none."""
        count = select(col(EventCount.count)).where(
            col(EventCount.organisation_id) == organisation_id
        )
        found: int | None = await self._database.read(lambda session: session.scalar(count))
        return found or 0

    async def number_of(self, scope: Scope, event_id: str) -> int | None:
        """Return the number of an event; None where there is none within a scope, or no more."""
        if not is_id(event_id):
            return None
        asked = select(col(Event.number)).where(col(Event.id) == event_id)
        number: int | None = await self._database.read(lambda session: session.scalar(asked), scope)
        return number

    async def keep_clean(self) -> None:
        """Remove old events every hour, until cancelled."""
        while True:
            try:
                await self.clean()
            except Exception as error:  # noqa: BLE001 - tried again
                _log.warning("old events stay", error=type(error).__name__)
            await asyncio.sleep(_CLEANED_EVERY_S)

    async def clean(self) -> int:
        """Remove events that were kept for long enough; return how many."""
        before = now() - self._lifetime
        removed = 0
        while count := await self._database.write(partial(_clean, before), EVERYTHING):
            removed += count
        return removed


def _clean(before: object, session: Session) -> int:
    """Remove the oldest events; what somebody else is removing is left to them."""
    at = col(Event.created_at)
    old = select(col(Event.id)).where(at < before).order_by(at).limit(_CLEANED_AT_ONCE)
    removal = delete(Event).where(col(Event.id).in_(old.with_for_update(skip_locked=True)))
    removed = session.execute(removal.execution_options(synchronize_session=False))
    return int(removed.rowcount)  # type: ignore[attr-defined]
