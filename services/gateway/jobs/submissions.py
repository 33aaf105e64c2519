"""A picture is taken in to be analyzed later."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.orm import Session

from services.gateway.analyses.files import Files, add
from services.gateway.analyses.subject import Subject
from services.gateway.database import Scope
from services.gateway.jobs.queue import Queue
from services.gateway.jobs.reception import Reception
from services.gateway.records import Analysis, Status
from services.gateway.uploads import Upload


class Submissions:
    """Keeps pictures with what is to become of them."""

    def __init__(
        self, files: Files, queue: Queue, reception: Reception, wake: Callable[[], None]
    ) -> None:
        """Build from what taking a picture in needs.

        Args:
            files: says whether there is room.
            queue: in which the picture then waits.
            reception: takes it in.
            wake: tells those who work that there is something to do.

        """
        self._files = files
        self._queue = queue
        self._reception = reception
        self._wake = wake

    async def submit(self, scope: Scope, analysis_id: str, upload: Upload) -> Analysis:
        """Take a picture in for a user, under an id; from then on it is not lost.

        Raises:
            InvalidRequestError: a text field does not keep the rules.
            InvalidPictureError: the picture cannot be used.
            TooLargeError: it has too many bytes or pixels.
            InsufficientStorageError: there is no room for the picture.
            StorageQuotaExceededError: as much is kept as may be.
            ShareTakenError: too many of this user wait already.
            UnavailableError: too many pictures wait already.

        """
        await self._queue.see_that_there_is_room(scope.user_id)
        await self._files.admit(scope)
        subject = await self._files.attached(Subject.read(upload.fields), scope)
        record = Analysis(id=analysis_id, status=Status.QUEUED, **subject.model_dump())
        write = partial(self._write, record, scope)
        await self._reception.take(scope, record, upload.picture, write)
        self._wake()
        return record

    def _write(self, record: Analysis, scope: Scope, session: Session) -> None:
        add([record], scope, session)
        self._queue.add(session, scope.user_id, [record.id])
