"""Whatever the message: it becomes a file, or the field at fault is named; nothing else happens."""

import functools
import io
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from grpc import aio
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from services.pb.reports_pb2 import RenderRequest
from services.reports import document, validation
from services.reports.errors import InvalidReportError
from tests import specimens
from tests.reports import messages
from tests.reports.reading import MAX_PIXELS

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            " ",
            "x" * 301,
            "<b>&amp;</b>",
            "{id}",
            "%s",
            "\x00",
            "\u202e\u2066",
            "نص עברית 文 😀",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59.999999Z",
            "2026-02-30",
            "2026-W05-6",
            "20260131T093000Z",
            "de",
            "nv",
            "https://derm.example/%00",
            "unknown",
            "A0" * 32,
        ]
    ),
)
NUMBERS = st.one_of(
    st.floats(),
    st.sampled_from([0.0, 1.0, -0.0, 1e-9, 1 + 1e-7, 5e-324, 1e308, float("nan"), float("inf")]),
)


@functools.cache
def pictures() -> list[bytes]:
    small = specimens.encoded(specimens.lesion((40, 30)), "PNG")
    return [b"", b"\x00", small, small[:-20], messages.spot(), messages.lesion()[:900]]


def fields(message: Message) -> list[tuple[Any, Any]]:
    """Return every field that a message or a part of it has, set or not."""
    found: list[tuple[Any, Any]] = []
    for field in message.DESCRIPTOR.fields:
        found.append((message, field))
        if field.message_type is None:
            continue
        value = getattr(message, field.name)
        parts = list(value)[:2] if field.is_repeated else [value]
        for part in parts if field.is_repeated or message.HasField(field.name) else []:
            found += fields(part)
    return found


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    return {
        FieldDescriptor.TYPE_STRING: TEXTS,
        FieldDescriptor.TYPE_BYTES: st.sampled_from(pictures()),
        FieldDescriptor.TYPE_DOUBLE: NUMBERS,
        FieldDescriptor.TYPE_BOOL: st.booleans(),
        FieldDescriptor.TYPE_ENUM: st.integers(-2, 5),
    }[field.type]


@st.composite
def broken(draw: st.DrawFn) -> RenderRequest:
    """Change a few fields of a whole message, whatever they are."""
    made = [messages.filed, messages.lesion_over_time, lambda: messages.batch(3), messages.bare]
    request = draw(st.sampled_from(made))()
    for _ in range(draw(st.integers(1, 4))):
        owner, field = draw(st.sampled_from(fields(request)))
        if field.message_type is not None:
            owner.ClearField(field.name)
        elif field.is_repeated:
            getattr(owner, field.name).append(draw(values(field)))
        else:
            setattr(owner, field.name, draw(values(field)))
    return request


@settings(max_examples=60)
@given(request=broken())
def test_a_message_becomes_a_file_or_the_field_at_fault_is_named(request: RenderRequest) -> None:
    try:
        validation.check(request)
        pdf, count = document.render(request, MAX_PIXELS)
    except InvalidReportError as error:
        assert error.field.split(".")[0].split("[")[0] in (  # noqa: PT017 - a file is as good
            "language",
            "analysis",
            "lesion",
            "batch",
        )
        return
    assert len(PdfReader(io.BytesIO(pdf), strict=True).pages) == count


@settings(max_examples=100)
@given(content=st.binary(max_size=200))
def test_bytes_that_are_no_message_never_count_as_a_fault_of_ours(content: bytes) -> None:
    request = RenderRequest()
    try:
        request.ParseFromString(content)
    except Exception:  # noqa: BLE001 - what gRPC itself answers for
        return
    with pytest.raises(InvalidReportError):
        validation.check(request)


async def test_a_service_that_was_sent_broken_messages_goes_on(stub: Any) -> None:
    request = messages.lesion_over_time()
    request.lesion.analyses[1].image = b"\x00"
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.Render(request, timeout=120)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert str(caught.value.details()).startswith("lesion.analyses[1].image: ")
    assert (await stub.Render(messages.batch(3), timeout=120)).page_count == 1
