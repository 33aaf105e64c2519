"""When keys and sessions were last used: to the minute, noted beside the requests that use them."""

import asyncio
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from services import telemetry
from services.gateway.database import Database
from services.gateway.records import ApiKey, SignIn, now

PRECISION = timedelta(minutes=1)

_WHEN: dict[type[ApiKey | SignIn], Any] = {
    ApiKey: col(ApiKey.last_used_at),
    SignIn: col(SignIn.used_at),
}

_log = telemetry.logger(__name__)


class LastUse:
    """Notes uses. No request waits for it, and none fails with it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._writing: dict[str, asyncio.Task[None]] = {}

    def note(self, used: ApiKey | SignIn) -> None:
        """Have it noted that something is being used, unless that was within the last minute."""
        last = getattr(used, _WHEN[type(used)].key)
        if (last is not None and now() - last < PRECISION) or used.id in self._writing:
            return
        writing = asyncio.create_task(self._write(type(used), used.id))
        self._writing[used.id] = writing
        writing.add_done_callback(lambda _: self._writing.pop(used.id))

    async def close(self) -> None:
        """Wait until all is noted."""
        await asyncio.gather(*self._writing.values())

    async def _write(self, kind: type[ApiKey | SignIn], used_id: str) -> None:
        moment, when = now(), _WHEN[kind]
        # Another replica may have noted it since.
        note = (
            update(kind)
            .where(col(kind.id) == used_id, or_(when.is_(None), when <= moment - PRECISION))
            .values({when: moment})
            .execution_options(synchronize_session=False)
        )
        try:
            await self._database.write(lambda session: session.execute(note))
        except (SQLAlchemyError, OSError):
            _log.exception("a use was not noted", kind=kind.__tablename__, used_id=used_id)
