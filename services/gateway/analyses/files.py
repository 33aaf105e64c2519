"""Records and their pictures come together."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from sqlalchemy import insert
from sqlalchemy.orm import Session

from services.gateway import errors, storage_quotas
from services.gateway.analyses.attachment import attached, hold
from services.gateway.analyses.leftovers import (
    Leftovers,
    RemovedMeanwhileError,
    see_that_all_stay,
)
from services.gateway.analyses.subject import Subject
from services.gateway.database import EVERYTHING, AnyScope, Database, Scope
from services.gateway.records import Analysis, Record
from services.gateway.space import Space
from services.gateway.storage_quotas import Amount, StorageQuotas
from services.gateway.store import Stage, Store

NO_SUCH_ANALYSIS = "There is no analysis of this id among yours."
"""The one sentence for a missing analysis and for somebody else's."""

# Nobody changes a record once it is added, so none of what is needed for that is paid for.
_ADDITION = insert(Record.metadata.tables["analyses"])

_TRIES = 5
_PAUSE_S = 0.2

_Result = TypeVar("_Result")


class Files:
    """Keeps a record with its pictures; never one without the other."""

    def __init__(
        self,
        database: Database,
        store: Store,
        leftovers: Leftovers,
        quotas: StorageQuotas,
        space: Space,
    ) -> None:
        """Build from what keeping needs.

        Args:
            database: has the records.
            store: has the pictures.
            leftovers: removes pictures whose record could not be written.
            quotas: say how much may be kept.
            space: says whether there is room.

        """
        self._database = database
        self._store = store
        self._leftovers = leftovers
        self._quotas = quotas
        self._space = space

    async def admit(self, scope: Scope) -> None:
        """See, before work begins, that one more picture may be kept.

        Raises:
            InsufficientStorageError: the disk is nearly full.
            StorageQuotaExceededError: as much is kept as may be.

        """
        await self.require_room()
        await self._quotas.see(scope)

    async def require_room(self) -> None:
        """See that the disks have room; raises ``InsufficientStorageError`` where one has not."""
        await self._space.require()

    def stage(self, scope: Scope) -> AbstractAsyncContextManager[Stage]:
        """Open a stage for the pictures of a record."""
        return self._store.stage(scope.organisation_id)

    async def keep(
        self, stage: Stage, work: Callable[[Session], _Result], scope: Scope, kept: Amount
    ) -> _Result:
        """Keep staged pictures, then write what is said of them; if that fails, neither.

        Args:
            stage: has the pictures.
            work: writes their names into records, and may refuse to.
            scope: of the work.
            kept: what counts as kept by it.

        Raises:
            StorageQuotaExceededError: they go beyond a quota.
            InsufficientStorageError: the disk is full.
            UnavailableError: the store is down or slow.

        """

        def counted(session: Session) -> _Result:
            self._quotas.take(scope, kept, session)
            return work(session)

        return await self._keep(stage, counted, scope)

    async def complete(
        self, stage: Stage, work: Callable[[Session], _Result], owner: Scope
    ) -> _Result:
        """Keep what belongs to a picture that was taken in before: as ``keep``, and never too much.

        Args:
            stage: has what belongs to it.
            work: writes the names into records, wherever they are, and may refuse to.
            owner: for whom it is kept.

        Raises:
            InsufficientStorageError: the disk is full.
            UnavailableError: the store is down or slow.

        """

        def counted(session: Session) -> _Result:
            storage_quotas.add(owner, Amount(stage.size), session)
            return work(session)

        return await self._keep(stage, counted, EVERYTHING)

    async def get(self, organisation_id: str, name: str) -> bytes:
        """Return a kept picture; raises as every store does."""
        return await self._store.get(organisation_id, name)

    async def forget(self, scope: Scope, names: Sequence[str]) -> None:
        """Remove pictures of a user whose records are gone; what cannot go is left to a purge."""
        await self._leftovers.forget(scope.organisation_id, names)

    async def attached(self, subject: Subject, scope: Scope) -> Subject:
        """Complete what was said of a picture; raises as ``attachment.attached`` does."""
        return await attached(subject, self._database, scope)

    async def _keep(
        self, stage: Stage, work: Callable[[Session], _Result], scope: AnyScope
    ) -> _Result:
        try:
            return await self._written(stage, work, scope)
        except errors.UnavailableError:
            # A store that is down removes nothing either; a purge does, when it is back.
            raise
        except BaseException:
            await self._leftovers.forget(stage.organisation_id, stage.names)
            raise

    async def _written(
        self, stage: Stage, work: Callable[[Session], _Result], scope: AnyScope
    ) -> _Result:
        """Publish and write, once more if pictures were removed in between."""
        seen: dict[str, str] = {}

        def write(session: Session) -> _Result:
            written = work(session)
            see_that_all_stay(stage.organisation_id, stage.names, seen, session)
            return written

        for _ in range(_TRIES):
            await stage.publish()
            try:
                return await self._database.write(write, scope)
            except RemovedMeanwhileError as removed:
                seen |= removed.marks
                if not removed.done:
                    await asyncio.sleep(_PAUSE_S)
        raise errors.UnavailableError("The same picture is being removed just now. Try again.")


def add(records: Sequence[Analysis], scope: Scope, session: Session) -> None:
    """Write new records, all attached to the same, with the pictures that are kept with them.

    Raises:
        InvalidRequestError: what they are attached to was removed meanwhile.

    """
    hold(records[0], session)
    for record in records:
        scope.stamp(record)
    session.execute(_ADDITION, [record.model_dump() for record in records])
