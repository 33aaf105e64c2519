"""A rendered file, read back."""

import functools
import io

from pypdf import PdfReader

from services.pb.reports_pb2 import RenderRequest
from services.reports import document

MAX_PIXELS = 1_000_000


def pages(request: RenderRequest) -> list[str]:
    """Return the text of every page, white space as single spaces."""
    return list(_pages(request.SerializeToString(deterministic=True)))


@functools.lru_cache(maxsize=16)
def _pages(serialized: bytes) -> tuple[str, ...]:
    """Read a message's pages once, for the many tests that look for words on the same ones."""
    pdf, count = document.render(RenderRequest.FromString(serialized), MAX_PIXELS)
    read = [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(read) == count
    return tuple(read)


def text(request: RenderRequest) -> str:
    return " ".join(pages(request))
