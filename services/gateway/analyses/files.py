"""Records and their pictures come and go together."""

from contextlib import AbstractAsyncContextManager

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.database import Sessions
from services.gateway.records import Analysis
from services.gateway.store import Stage, Store

NO_SUCH_ANALYSIS = "There is no analysis of this id among yours."
"""The one sentence for a missing analysis and for somebody else's."""

_log = telemetry.logger(__name__)


class Files:
    """Keeps a record with its pictures, and removes both; never one without the other."""

    def __init__(self, sessions: Sessions, store: Store) -> None:
        self._sessions = sessions
        self._store = store

    def stage(self) -> AbstractAsyncContextManager[Stage]:
        """Open a stage for the pictures of a record."""
        return self._store.stage()

    async def keep(self, record: Analysis, stage: Stage) -> None:
        """Keep staged pictures, then the record of them; if that fails, neither."""
        async with self._store.holding(stage.names):
            try:
                await self._store.publish(stage)
                async with self._sessions.begin() as session:
                    session.add(record)
            except BaseException:
                await self._forget(stage.names)
                raise

    async def drop(self, record: Analysis) -> None:
        """Remove a record, then those of its pictures that no other record has.

        Raises:
            NotFoundError: somebody else has just removed it.

        """
        names = [record.image_sha256, record.mask_sha256, record.explanation_sha256]
        files = [name for name in names if name]
        async with self._store.holding(files):
            async with self._sessions.begin() as session:
                removed = await session.scalar(
                    delete(Analysis)
                    .where(col(Analysis.id) == record.id)
                    .returning(col(Analysis.id))
                    .execution_options(synchronize_session=False)
                )
            if removed is None:
                raise errors.NotFoundError(NO_SUCH_ANALYSIS)
            await self._forget(files)

    async def _forget(self, names: list[str]) -> None:
        """Remove files that no record has. What cannot be removed now is left, and said."""
        try:
            await self._store.remove([name for name in names if await self._is_unused(name)])
        except (OSError, SQLAlchemyError):
            _log.exception("pictures were left behind", files=names)

    async def _is_unused(self, name: str) -> bool:
        used = select(col(Analysis.id)).where(
            or_(
                col(Analysis.image_sha256) == name,
                col(Analysis.mask_sha256) == name,
                col(Analysis.explanation_sha256) == name,
            )
        )
        async with self._sessions() as session:
            return await session.scalar(used.limit(1)) is None
