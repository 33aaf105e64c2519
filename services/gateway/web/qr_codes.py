"""QR codes, drawn into a page: no other address has what they say."""

import asyncio

import segno
from markupsafe import Markup

# Four modules of white around it are part of the code (ISO/IEC 18004); on dark pages too.
_BORDER = 4


async def qr_code(text: str) -> Markup:
    """Return an SVG element for a page, without styles, which the page's policy would refuse."""
    return await asyncio.to_thread(_drawn, text)


def _drawn(text: str) -> Markup:
    code = segno.make(text, error="m", micro=False)
    drawn = code.svg_inline(
        border=_BORDER, dark="#000", light="#fff", omitsize=True, svgclass="qr", lineclass=None
    )
    # It is made of numbers and of nothing that somebody wrote.
    return Markup(drawn)  # noqa: S704 - the same
