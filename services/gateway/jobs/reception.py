"""One picture is taken in, to be analyzed later."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from services.gateway.analyses.analyze import Limits, pictured
from services.gateway.analyses.files import Files
from services.gateway.database import Scope
from services.gateway.metrics import Metrics
from services.gateway.records import Analysis
from services.gateway.storage_quotas import Amount
from services.gateway.threads import Threads
from services.gateway.uploads import rewrite


class Reception:
    """Checks a picture, writes it anew and keeps it with its record."""

    def __init__(self, files: Files, threads: Threads, limits: Limits, metrics: Metrics) -> None:
        """Build from what taking a picture in needs.

        Args:
            files: keeps pictures and records.
            threads: where pictures are rewritten.
            limits: of a picture.
            metrics: counts bytes.

        """
        self._files = files
        self._threads = threads
        self._limits = limits
        self._metrics = metrics

    async def take(
        self, scope: Scope, record: Analysis, content: bytes, write: Callable[[Session], None]
    ) -> None:
        """Take a picture in.

        Args:
            scope: of whoever sent it.
            record: to be completed by what there is to say of the picture.
            content: what was sent.
            write: writes the record, when the picture is kept.

        Raises:
            InvalidPictureError: the picture cannot be used.
            TooLargeError: it has too many bytes or pixels.
            InsufficientStorageError: there is no room for it.
            StorageQuotaExceededError: as much is kept as may be.

        """
        await self._files.require_room()
        self._metrics.upload_bytes.observe(len(content))
        picture = await self._threads.run(rewrite, content, *self._limits)
        for name, value in pictured(picture).items():
            setattr(record, name, value)
        async with self._files.stage(scope) as stage:
            stage.begin(picture.sha256, picture.encoded)
            record.kept_bytes = stage.size
            await self._files.keep(stage, write, scope, Amount(stage.size, pictures=1))
