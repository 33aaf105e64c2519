"""Reading the body of an upload: a form with one picture, or the picture itself.

Bytes are counted as they come, whatever Content-Length says, and stay in memory: a picture of
a person is not spilled into a folder for temporary files.
"""

import contextlib
from collections.abc import AsyncGenerator, Iterable, Mapping, MutableMapping
from dataclasses import dataclass

from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from services.gateway import errors
from services.gateway.places import Places
from services.gateway.reading import check_once
from services.gateway.uploads.declared import see_that_it_is
from services.gateway.uploads.head import head

PICTURE_FIELD = "image"
PICTURE_TYPES = ("image/jpeg", "image/png")
FORM_TYPE = "multipart/form-data"
FORM_OVERHEAD_BYTES = 64 * 1024
"""What a form may weigh beside its picture: text fields, headers and boundaries."""

_HEARD_AT_ONCE = 16
"""How many refused forms are read for what is written in them; a user has half at most."""

_MAX_FIELDS = 16
_MAX_FIELD_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """What was sent.

    Attributes:
        picture: the bytes of the picture file, not yet looked at.
        fields: the text fields that came with it.

    """

    picture: bytes
    fields: Mapping[str, str]

    @property
    def parts(self) -> tuple[bytes, ...]:
        """All of it; unlike the body, whose boundaries are made up anew each time it is sent."""
        # Some charsets make surrogates, of which UTF-8 has none; they are refused later.
        texts = (
            text.encode("utf-8", "surrogatepass")
            for field in sorted(self.fields.items())
            for text in field
        )
        return (self.picture, *texts)


class Bodies:
    """Reads bodies, each only so large."""

    def __init__(self, max_bytes: int) -> None:
        """Build with the size of the largest picture file."""
        self._max_bytes = max_bytes
        self._hearing = Places(_HEARD_AT_ONCE, "Too many forms are refused. Try again shortly.")

    async def read(self, request: Request, heard: MutableMapping[str, str] | None = None) -> Upload:
        """Read the picture and the text fields of a request.

        Args:
            request: whose body has not been read.
            heard: takes the text fields as far as they were read, also of what is refused.

        Raises:
            UnsupportedMediaTypeError: neither a form nor a JPEG or PNG.
            InvalidRequestError: the form cannot be read, has no picture, or a field twice.
            InvalidPictureError: the picture is another kind than is said of it.
            TooLargeError: the picture or the form has too many bytes.

        """
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == FORM_TYPE:
            return await self._form(request, self._max_bytes, {} if heard is None else heard)
        if kind in PICTURE_TYPES:
            picture = await self._raw(request)
            see_that_it_is(picture, kind)
            return Upload(picture, {})
        raise errors.UnsupportedMediaTypeError(
            f"Send {FORM_TYPE} with the field {PICTURE_FIELD!r}, or the picture itself as "
            "image/jpeg or image/png."
        )

    async def texts(self, request: Request, who: str) -> dict[str, str]:
        """Return the text fields before the picture of a form that is refused as it is.

        No room is taken for the picture: no more is read than text fields may weigh, and nothing
        while enough other forms are, for whoever is refused pays for nothing.

        Args:
            request: whose body has not been read.
            who: sends it.

        """
        heard: dict[str, str] = {}
        if request.headers.get("content-type", "").lower().startswith(FORM_TYPE):
            with contextlib.suppress(errors.GatewayError), self._hearing.taken(who):
                await self._form(request, 0, heard)
        return heard

    async def _raw(self, request: Request) -> bytes:
        chunks = [chunk async for chunk in self._bounded(request, self._max_bytes)]
        return b"".join(chunks)

    async def _form(self, request: Request, room: int, heard: MutableMapping[str, str]) -> Upload:
        most = room + FORM_OVERHEAD_BYTES
        parser = _Parser(request.headers, self._bounded(request, most), most)
        try:
            form = await parser.parse()
        except MultiPartException as error:
            raise errors.InvalidRequestError(_unreadable(error.message)) from error
        except (LookupError, UnicodeError) as error:
            raise errors.InvalidRequestError(_unreadable("its charset is not known")) from error
        finally:
            heard.update(parser.texts)
        try:
            return await self._upload(form)
        finally:
            await form.close()

    async def _bounded(self, request: Request, most: int) -> AsyncGenerator[bytes, None]:
        left = most
        async for chunk in request.stream():
            yield chunk[:left]
            left -= len(chunk)
            if left < 0:
                raise _too_large(self._max_bytes)

    async def _upload(self, form: FormData) -> Upload:
        sent = form.get(PICTURE_FIELD)
        if not isinstance(sent, UploadFile):
            raise errors.InvalidRequestError(
                f"The form has no file in the field {PICTURE_FIELD!r}. Put the picture there."
            )
        picture = await sent.read()
        if len(picture) > self._max_bytes:
            raise _too_large(self._max_bytes)
        check_once(name for name, _ in form.multi_items())
        see_that_it_is(picture, sent.content_type or "", sent.filename or "")
        return Upload(picture, _texts(form.multi_items()))


class _Parser(MultiPartParser):
    """Keeps pictures in memory, and refuses what starlette's takes.

    That is: forms that break off, and parts that say twice what they are.
    """

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], spool_max_size: int
    ) -> None:
        super().__init__(
            headers,
            self._whole(stream),
            max_files=1,
            max_fields=_MAX_FIELDS,
            max_part_size=_MAX_FIELD_BYTES,
        )
        self.spool_max_size = spool_max_size
        self._complete = False

    @property
    def texts(self) -> dict[str, str]:
        """The text fields that were read so far."""
        return _texts(self.items)

    def on_headers_finished(self) -> None:
        try:
            head(self._current_part.item_headers)
        except ValueError as error:
            raise MultiPartException(str(error)) from error
        super().on_headers_finished()

    def on_end(self) -> None:
        self._complete = True

    async def _whole(self, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
        if not self._complete:
            raise MultiPartException("it ends before its last boundary")


def _texts(items: Iterable[tuple[str, UploadFile | str]]) -> dict[str, str]:
    return {name: value for name, value in items if isinstance(value, str)}


def _too_large(limit: int) -> errors.TooLargeError:
    return errors.TooLargeError(f"The picture has too many bytes. Send at most {limit:,}.")


def _unreadable(why: str) -> str:
    return f"The form cannot be read: {why.rstrip('.')}. Send one file in {PICTURE_FIELD!r}."
