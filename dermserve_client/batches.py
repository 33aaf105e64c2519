"""Batches: many pictures sent at once, watched until each has its result."""

import io
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from dermserve_client.errors import ClientError
from dermserve_client.patience import Patience
from dermserve_client.reports import Reported
from dermserve_client.shapes import Batch
from dermserve_client.wire import Wire

MOST_PICTURES = 1000
"""A gateway takes no more at once, and fewer where its operators say so."""

_POLL_S = (0.1, 2.0)


class Batches(Reported):
    """The batches that the caller may see; ``analyses.list(batch=…)`` has what became of each."""

    _path = "/v1/batches"

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def create(
        self, pictures: Mapping[str, Path], *, key: str | None = None, **fields: str
    ) -> Batch:
        """Send picture files, each read when its turn comes; they are analyzed later.

        When this returns, all have been checked and kept. A file that cannot be used has failed by
        then, and the others go on.

        Args:
            pictures: JPEG or PNG, by the name that each is to have (``Analysis.file_name``).
            key: names what is sent (``Idempotency-Key``): sent again with it, also by another
                process, it is the same batch. None for one of its own.
            fields: what holds for all of them, as ``Analyses.create`` takes it.

        """
        uploads = [("images", (name, _Turn(path))) for name, path in pictures.items()]
        headers = {} if key is None else {"Idempotency-Key": key}
        with ExitStack() as stack:
            for _, (_, turn) in uploads:
                stack.callback(turn.close)
            answer = self._wire.make(self._path, files=uploads, data=fields, headers=headers)
        return Batch.model_validate_json(answer.content)

    def get(self, batch_id: str) -> Batch:
        """Show a batch."""
        return self._read("GET", batch_id)

    def watch(self, batch_id: str, patience_s: float = 300) -> Iterator[Batch]:
        """Yield a batch as it is, and again whenever it has come further, until it is finished.

        Args:
            batch_id: of the batch.
            patience_s: how long the gateway may be away, or have too much to do.

        Raises:
            ClientError: it was for longer, or there is no such batch.

        """
        seen: Batch | None = None
        patience = Patience(patience_s)
        pause, longest = _POLL_S
        while seen is None or not seen.finished:
            try:
                found = self.get(batch_id)
            except ClientError as error:
                patience.wait(error)
                continue
            patience.restore()
            if found != seen:
                seen, pause = found, _POLL_S[0]
                yield found
            else:
                time.sleep(pause)
                pause = min(2 * pause, longest)

    def list(self) -> Iterator[Batch]:
        """Yield batches, newest first."""
        return self._wire.listed(Batch, self._path)

    def cancel(self, batch_id: str) -> Batch:
        """Withdraw the pictures whose turn has not come."""
        return self._read("POST", f"{batch_id}/cancel")

    def remove(self, batch_id: str) -> None:
        """Remove a batch with its analyses."""
        self._wire.send("DELETE", f"{self._path}/{batch_id}")

    def _read(self, method: str, path: str) -> Batch:
        answer = self._wire.send(method, f"{self._path}/{path}")
        return Batch.model_validate_json(answer.content)


class _Turn(io.RawIOBase):
    """A file that is open only while it is read: a batch has more than a process may hold open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            self._file = self._path.open("rb")
        content = self._file.read(size)
        if not content:
            self._shut()
        return content

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to the beginning, or tell how long it is: nothing else is asked of an upload."""
        self._shut()
        return self._path.stat().st_size if whence == os.SEEK_END else offset

    def tell(self) -> int:
        return 0

    def close(self) -> None:
        self._shut()
        super().close()

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
