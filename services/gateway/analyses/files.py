"""Records and their pictures come and go together."""

from contextlib import AbstractAsyncContextManager

from sqlalchemy import delete, insert, select, union
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.database import EVERYTHING, Database, Scope
from services.gateway.records import Analysis, Record
from services.gateway.store import Stage, Store

NO_SUCH_ANALYSIS = "There is no analysis of this id among yours."
"""The one sentence for a missing analysis and for somebody else's."""

# Nobody changes a record once it is added, so none of what is needed for that is paid for.
_ADDITION = insert(Record.metadata.tables["analyses"])

# SQLite takes a thousand parameters, and each name is asked for three times.
_NAMES_AT_ONCE = 300

_log = telemetry.logger(__name__)


class Files:
    """Keeps a record with its pictures, and removes both; never one without the other."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store

    def stage(self) -> AbstractAsyncContextManager[Stage]:
        """Open a stage for the pictures of a record."""
        return self._store.stage()

    async def keep(self, record: Analysis, stage: Stage, scope: Scope) -> None:
        """Keep staged pictures, then the record of them; if that fails, neither."""
        async with self._store.holding(stage.names):
            try:
                await self._store.publish(stage)
                scope.stamp(record)
                row = record.model_dump()
                await self._database.write(lambda session: session.execute(_ADDITION, row), scope)
            except BaseException:
                await self._forget(stage.names)
                raise

    async def drop(self, record: Analysis, scope: Scope) -> None:
        """Remove a record, then those of its pictures that no other record has.

        Raises:
            NotFoundError: somebody else has just removed it.

        """
        names = [record.image_sha256, record.mask_sha256, record.explanation_sha256]
        files = [name for name in names if name]
        removal = (
            delete(Analysis)
            .where(col(Analysis.id) == record.id)
            .returning(col(Analysis.id))
            .execution_options(synchronize_session=False)
        )
        async with self._store.holding(files):
            found = await self._database.write(lambda session: session.scalar(removal), scope)
            if found is None:
                raise errors.NotFoundError(NO_SUCH_ANALYSIS)
            await self._forget(files)

    async def sweep(self) -> None:
        """Remove what processes left behind when they were killed.

        A database without a single analysis is more likely the wrong one than all pictures
        are left over: then they stay.
        """
        await self._store.sweep()
        names = await self._store.settled()
        any_one = select(col(Analysis.id)).limit(1)
        if await self._database.read(lambda session: session.scalar(any_one), EVERYTHING) is None:
            return
        for start in range(0, len(names), _NAMES_AT_ONCE):
            await self._forget(names[start : start + _NAMES_AT_ONCE])

    async def _forget(self, names: list[str]) -> None:
        """Remove files that no record has. What cannot be removed now is left, and said."""
        try:
            await self._store.remove(set(names) - await self._used(names))
        except (OSError, SQLAlchemyError):
            _log.exception("pictures were left behind", files=names)

    async def _used(self, names: list[str]) -> set[str]:
        """Return those of some names that a record has."""
        columns = (Analysis.image_sha256, Analysis.mask_sha256, Analysis.explanation_sha256)
        used = union(*(select(col(column)).where(col(column).in_(names)) for column in columns))
        return await self._database.read(
            lambda session: set(map(str, session.scalars(used))), EVERYTHING
        )
