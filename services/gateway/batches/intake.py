"""Many pictures are taken in: each checked, written anew and kept, then all of them at once.

A picture is kept as soon as it has come, so that only one is in memory. Until all have come, their
analyses look as if they were removed: nobody sees them, and if the process is killed, a purge
removes them as it does others. The last step shows them all and puts them into the line, in one go.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial

from sqlalchemy import delete, update
from sqlalchemy.orm import Session
from sqlmodel import col
from starlette.requests import Request

from services.gateway import errors, kinds, storage_quotas
from services.gateway.analyses.attachment import hold
from services.gateway.analyses.files import Files, add
from services.gateway.analyses.subject import Subject
from services.gateway.batches.reading import Reading, Sent
from services.gateway.database import EVERYTHING, Database, Scope
from services.gateway.jobs import Queue, Reception
from services.gateway.records import Analysis, Batch, Status, now

_AT_ONCE = 500
"""SQLite takes some thousand parameters."""

_TOO_LATE = "It took too long to arrive. Send it again."


class Arrived:
    """What has come of a batch so far: kept pictures, and files that could not be used."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.failed: list[Analysis] = []

    @property
    def count(self) -> int:
        """How many files have come."""
        return len(self.kept) + len(self.failed)


class Intake:
    """Takes batches in."""

    def __init__(
        self,
        database: Database,
        files: Files,
        queue: Queue,
        reception: Reception,
        wake: Callable[[], None],
    ) -> None:
        """Build from what taking in needs.

        Args:
            database: has the records.
            files: keeps pictures and records.
            queue: in which the pictures then wait.
            reception: takes each of them in.
            wake: tells those who work that there is something to do.

        """
        self._database = database
        self._files = files
        self._queue = queue
        self._reception = reception
        self._wake = wake

    @contextlib.asynccontextmanager
    async def arriving(
        self, scope: Scope, reading: Reading, request: Request, *, known: bool
    ) -> AsyncIterator[Arrived]:
        """Take in what a request brings; what is not sealed within is as if it had not come.

        Args:
            scope: of whoever sends it.
            reading: reads it.
            request: brings it.
            known: whether it has made its batch before: then it is read, and nothing is kept.

        Raises:
            ShareTakenError: too many of this user wait already.
            UnavailableError: too many pictures wait already.
            InsufficientStorageError: there is no room for the pictures.
            StorageQuotaExceededError: as much is kept as may be.
            GatewayError: whatever ``Reading.files`` raises.

        """
        arrived = Arrived()
        if known:
            async for _ in reading.files(request):
                pass
            yield arrived
            return
        await self._queue.see_that_there_is_room(scope.user_id)
        await self._files.admit(scope)
        try:
            async for sent in reading.files(request):
                await self._take(scope, sent, arrived)
            yield arrived
        finally:
            await self._discard(scope, arrived)

    async def seal(
        self, scope: Scope, batch_id: str, arrived: Arrived, fields: dict[str, str]
    ) -> Batch:
        """Make a batch of what has arrived; from then on nothing of it is lost.

        Raises:
            InvalidRequestError: a text field does not keep the rules.
            ShareTakenError: too many of this user wait already.
            UnavailableError: too many pictures wait already.

        """
        if not arrived.count:
            raise errors.UnavailableError(_TOO_LATE)
        subject = await self._files.attached(Subject.read(fields), scope)
        batch = Batch(id=batch_id, pictures=arrived.count)
        scope.stamp(batch)
        # What looks removed is out of sight of its owner's scope.
        await self._database.write(partial(self._seal, batch, arrived, subject, scope), EVERYTHING)
        arrived.kept.clear()
        self._wake()
        return batch

    async def _take(self, scope: Scope, sent: Sent, arrived: Arrived) -> None:
        record = Analysis(status=Status.QUEUED, file_name=sent.name, deleted_at=now())
        try:
            if isinstance(sent.content, errors.GatewayError):
                raise sent.content
            if sent.refusal is not None:
                raise sent.refusal
            write = partial(add, [record], scope)
            await self._reception.take(scope, record, sent.content, write)
        except (errors.InvalidPictureError, errors.TooLargeError) as error:
            problem = {"kind": kinds.kind_of(error).slug, "detail": str(error)}
            failed = Analysis(status=Status.FAILED, file_name=sent.name, problem=problem)
            arrived.failed.append(failed)
        else:
            arrived.kept.append(record.id)

    def _seal(
        self, batch: Batch, arrived: Arrived, subject: Subject, scope: Scope, session: Session
    ) -> None:
        session.add(batch)
        session.flush()
        hold(subject, session)
        said = {"batch": batch.id, **subject.model_dump()}
        shown = 0
        for start in range(0, len(arrived.kept), _AT_ONCE):
            some = arrived.kept[start : start + _AT_ONCE]
            showing = update(Analysis).where(col(Analysis.id).in_(some))
            showing = showing.values(deleted_at=None, **said).returning(col(Analysis.id))
            quick = showing.execution_options(synchronize_session=False)
            shown += len(session.scalars(quick).all())
        if shown < len(arrived.kept):
            raise errors.UnavailableError(_TOO_LATE)
        for record in arrived.failed:
            for name, value in said.items():
                setattr(record, name, value)
        if arrived.failed:
            add(arrived.failed, scope, session)
        self._queue.add(session, scope.user_id, arrived.kept, bulk=True)

    async def _discard(self, scope: Scope, arrived: Arrived) -> None:
        """Remove what was not sealed: it counts as kept no more."""
        for start in range(0, len(arrived.kept), _AT_ONCE):
            some = arrived.kept[start : start + _AT_ONCE]
            names = await self._database.write(partial(_remove, some), EVERYTHING)
            await self._files.forget(scope, names)


def _remove(unsealed: Sequence[str], session: Session) -> list[str]:
    """Remove analyses that belong to no batch; return the names of their pictures."""
    gone = (
        delete(Analysis)
        # Whether they were sealed, nobody may have been told.
        .where(col(Analysis.id).in_(unsealed), col(Analysis.batch).is_(None))
        .returning(Analysis)
        .execution_options(synchronize_session=False)
    )
    rows = session.scalars(gone).all()
    storage_quotas.give_back([(row, row.kept_bytes or 0) for row in rows], session)
    return [str(row.image_sha256) for row in rows]
