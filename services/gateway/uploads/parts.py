"""The parts of a form, one after the other, as they arrive: only one is in memory at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from services.gateway import errors
from services.gateway.uploads.body import FORM_TYPE
from services.gateway.uploads.head import head


@dataclass(slots=True)
class Part:
    """A part of a form.

    Attributes:
        name: of the field.
        file_name: as it was sent; None for a text field, and for a file without a name.
        kind: the media type that is said of it; empty if none is.
        content: its bytes, or the beginning of them.
        is_whole: whether that is all of them.

    """

    name: str
    file_name: str | None
    kind: str
    content: bytes
    is_whole: bool


async def parts(
    request: Request, max_bytes: int, max_part_bytes: int, max_parts: int
) -> AsyncIterator[Part]:
    """Yield the parts of a request's form as they arrive.

    Args:
        request: whose body has not been read.
        max_bytes: of the whole body.
        max_part_bytes: of a part; of a longer one only the beginning is kept.
        max_parts: of the form.

    Raises:
        InvalidRequestError: it cannot be read as a form, or breaks off.
        TooLargeError: the body has too many bytes, or the form too many parts.

    """
    reader = _Reader(request.headers.get("content-type", ""), max_part_bytes, max_parts)
    arrived = 0
    async for chunk in request.stream():
        arrived += len(chunk)
        if arrived > max_bytes:
            raise errors.TooLargeError(f"The body has too many bytes. Send at most {max_bytes:,}.")
        for part in reader.read(chunk):
            yield part
    reader.see_that_it_is_complete()


@dataclass(slots=True)
class _Open:
    """A part that is arriving."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    head: dict[bytes, bytes] = field(default_factory=dict)
    content: bytearray = field(default_factory=bytearray)
    size: int = 0


class _Reader:
    """Turns what the parser finds into parts."""

    def __init__(self, content_type: str, max_part_bytes: int, max_parts: int) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind.decode("latin-1").lower() != FORM_TYPE or not boundary:
            raise _unreadable("it has no boundary")
        self._max_part_bytes = max_part_bytes
        self._left = max_parts
        self._max_parts = max_parts
        self._open = _Open()
        self._header = self._value = b""
        self._done: list[Part] = []
        self._complete = False
        self._parser = self._new_parser(boundary)

    def _new_parser(self, boundary: bytes) -> MultipartParser:
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._on_header,
                    "on_header_value": self._on_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_head,
                    "on_part_data": self._on_data,
                    "on_part_end": self._end,
                    "on_end": self._on_end,
                },
            )
        except FormParserError as error:
            raise _unreadable("its boundary is too long") from error

    def read(self, chunk: bytes) -> list[Part]:
        """Return the parts that end within a chunk."""
        self._done = []
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _unreadable(str(error)) from error
        return self._done

    def see_that_it_is_complete(self) -> None:
        if not self._complete:
            raise _unreadable("it ends before its last boundary")

    def _begin(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise errors.TooLargeError(
                f"The form has too many parts. Send at most {self._max_parts:,} at once."
            )
        self._open = _Open()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._open.headers.append((self._header.lower(), self._value))
        self._header = self._value = b""

    def _on_head(self) -> None:
        try:
            self._open.head = head(self._open.headers)
        except ValueError as error:
            raise _unreadable(str(error)) from error

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        room = self._max_part_bytes - len(self._open.content)
        self._open.content += data[start : min(end, start + room)]
        self._open.size += end - start

    def _end(self) -> None:
        _, options = parse_options_header(self._open.head.get(b"content-disposition"))
        if b"name" not in options:
            raise _unreadable("a part has no name")
        file_name = options.get(b"filename")
        content = bytes(self._open.content)
        self._done.append(
            Part(
                name=_text(options[b"name"]),
                file_name=None if file_name is None else _text(file_name),
                kind=self._open.head.get(b"content-type", b"").decode("latin-1"),
                content=content,
                is_whole=len(content) == self._open.size,
            )
        )
        self._open = _Open()

    def _on_end(self) -> None:
        self._complete = True


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _unreadable("a name in it is not UTF-8") from error


def _unreadable(why: str) -> errors.InvalidRequestError:
    return errors.InvalidRequestError(f"The form cannot be read: {why.rstrip('.')}.")
