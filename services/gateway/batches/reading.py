"""The pictures of a request, one after the other: of a form, or of one archive."""

import asyncio
import contextlib
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from starlette.requests import Request

from services.gateway import errors
from services.gateway.reading import check_once
from services.gateway.space import Space
from services.gateway.store import CHANGED_WITHIN_S, told
from services.gateway.text import is_file_name
from services.gateway.threads import Threads
from services.gateway.uploads import Archive, Part, parts
from services.gateway.uploads.body import FORM_TYPE
from services.gateway.uploads.declared import see_that_it_is

PICTURES_FIELD = "images"
ARCHIVE_TYPE = "application/zip"

_MAX_FIELDS = 16
_MAX_FIELD_BYTES = 16 * 1024
_BUFFER_BYTES = 1024 * 1024
_CLOSED_WITHIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as it was sent.

    Attributes:
        name: of the file, None if it has none.
        content: its bytes, or why there are none.
        refusal: why it is not taken all the same.

    """

    name: str | None
    content: bytes | errors.GatewayError
    refusal: errors.GatewayError | None = None


class Reading:
    """Reads the body of one request.

    Attributes:
        fields: the text fields of a form, known when all has been read.

    """

    def __init__(
        self, folder: Path, space: Space, max_pictures: int, max_bytes: int, max_picture_bytes: int
    ) -> None:
        """Build with bounds.

        Args:
            folder: where an archive lies while it is read, in a file without a name.
            space: says whether there is room for it.
            max_pictures: of a request.
            max_bytes: of its body, and of all that is in its archive.
            max_picture_bytes: of each.

        """
        self.fields: dict[str, str] = {}
        self._folder = folder
        self._space = space
        self._max_pictures = max_pictures
        self._max_bytes = max_bytes
        self._max_picture_bytes = max_picture_bytes
        self._threads = Threads(1, CHANGED_WITHIN_S)
        # Apart, for no disk is asked there.
        self._noting = Threads(1)
        self._seen = hashlib.sha256()

    @property
    def fingerprint(self) -> tuple[bytes, ...]:
        """What the same files and fields, in the same order, always have."""
        texts = (text.encode() for field in sorted(self.fields.items()) for text in field)
        return (self._seen.digest(), *texts)

    async def files(self, request: Request) -> AsyncIterator[Sent]:
        """Yield the files of a request.

        Raises:
            UnsupportedMediaTypeError: neither a form nor a zip archive.
            InvalidRequestError: the form cannot be read.
            InvalidArchiveError: the archive is not taken.
            TooLargeError: there are too many bytes or pictures.
            InsufficientStorageError: there is no room for the archive.
            StoreUnavailableError: its disk is in trouble, or hangs.

        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in {FORM_TYPE, ARCHIVE_TYPE}:
            raise errors.UnsupportedMediaTypeError(
                f"Send {FORM_TYPE} with each picture in a field {PICTURES_FIELD!r}, or the "
                f"pictures in one archive as {ARCHIVE_TYPE}."
            )
        found = self._of_form(request) if kind == FORM_TYPE else self._of_archive(request)
        count = 0
        async for sent in found:
            count += 1
            if count > self._max_pictures:
                raise errors.TooLargeError(
                    f"There are too many pictures. Send at most {self._max_pictures:,} at once."
                )
            await self._noting.run(self._note, sent)
            yield sent
        if not count:
            raise errors.InvalidRequestError("There is no picture in it. Send at least one.")

    def _note(self, sent: Sent) -> None:
        """Remember what came, so that it is known again."""
        said = [repr(sent.name).encode(), _of(sent.content)]
        if sent.refusal is not None:
            said.append(str(sent.refusal).encode())
        for part in said:
            self._seen.update(len(part).to_bytes(8) + part)

    async def _of_form(self, request: Request) -> AsyncIterator[Sent]:
        most = self._max_pictures + _MAX_FIELDS
        async for part in parts(request, self._max_bytes, self._max_picture_bytes, most):
            if part.name == PICTURES_FIELD:
                yield self._picture(part)
            else:
                self._field(part)

    def _picture(self, part: Part) -> Sent:
        name = part.file_name or None
        if name is not None and not is_file_name(name):
            raise errors.InvalidRequestError("The name of a file is too long or garbled.")
        if not part.is_whole:
            too_large = f"The picture has too many bytes. Send at most {self._max_picture_bytes:,}."
            return Sent(name, errors.TooLargeError(too_large))
        return _judged(name, part.content, part.kind)

    def _field(self, part: Part) -> None:
        if part.file_name is not None:
            raise errors.InvalidRequestError(
                f"{part.name[:64]}: only {PICTURES_FIELD!r} may be a file."
            )
        check_once((*self.fields, part.name))
        if len(part.content) > _MAX_FIELD_BYTES or not part.is_whole:
            raise errors.InvalidRequestError(f"{part.name[:64]}: it is too long.")
        try:
            self.fields[part.name] = part.content.decode()
        except UnicodeDecodeError as error:
            raise errors.InvalidRequestError(f"{part.name[:64]}: it is not UTF-8.") from error

    async def _of_archive(self, request: Request) -> AsyncIterator[Sent]:
        with told():
            file = await self._threads.run(self._new_file)
            try:
                await self._arrived(request, file)
                async for sent in self._unpacked(file):
                    yield sent
            finally:
                await self._close(file)

    async def _unpacked(self, file: IO[bytes]) -> AsyncIterator[Sent]:
        bounds = (self._max_pictures, self._max_bytes, self._max_picture_bytes)
        archive = await self._threads.run(partial(Archive, file), *bounds)
        for member in archive.members:
            try:
                content = await self._threads.run(archive.read, member)
            except errors.InvalidArchiveError:
                raise
            except (errors.InvalidPictureError, errors.TooLargeError) as error:
                yield Sent(member.name, error)
            else:
                yield _judged(member.name, content)

    def _new_file(self) -> IO[bytes]:
        os.makedirs(self._folder, mode=0o700, exist_ok=True)  # noqa: PTH103 - as mkdir, and quiet
        # It has no name, so it goes with the process, however that ends.
        return tempfile.TemporaryFile(dir=self._folder)

    async def _close(self, file: IO[bytes]) -> None:
        """Close an archive, whose work is done or has failed: neither becomes another by this.

        It goes without us, too, when the last thread that has it in hand is done.
        """
        with contextlib.suppress(OSError):
            async with asyncio.timeout(_CLOSED_WITHIN_S):
                await self._threads.look(file.close)

    async def _arrived(self, request: Request, file: IO[bytes]) -> None:
        arrived, buffer = 0, bytearray()
        async for chunk in request.stream():
            arrived += len(chunk)
            if arrived > self._max_bytes:
                raise errors.TooLargeError(
                    f"The archive has too many bytes. Send at most {self._max_bytes:,}."
                )
            buffer += chunk
            if len(buffer) >= _BUFFER_BYTES:
                await self._space.require()
                await self._threads.run(file.write, bytes(buffer))
                buffer.clear()
        await self._threads.run(file.write, bytes(buffer))
        await self._threads.run(file.flush)


def _judged(name: str | None, content: bytes, kind: str = "") -> Sent:
    """Return a file whose bytes are there, refused where it contradicts what is said of it."""
    try:
        see_that_it_is(content, kind, name or "")
    except errors.InvalidPictureError as refusal:
        return Sent(name, content, refusal)
    return Sent(name, content)


def _of(content: bytes | errors.GatewayError) -> bytes:
    return content if isinstance(content, bytes) else str(content).encode()
