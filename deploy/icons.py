"""Draw the icons of the web app from its one drawing: ``python -m deploy.icons``.

The drawing is ``services/gateway/web/static/icon.svg``; a Chromium turns it into pixels.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser

from tests import chromium

STATIC = Path(__file__).resolve().parents[1] / "services" / "gateway" / "web" / "static"
DRAWING = STATIC / "icon.svg"

_GROUND = "#0b4f7d"


class Icon(NamedTuple):
    """An icon: its file, its side in pixels, and how much of it the drawing takes."""

    name: str
    side: int
    share: float = 1.0
    fills: bool = False
    """Whether the ground reaches the edges, for systems that cut a shape of their own."""


ICONS = (
    Icon("icon-192.png", 192),
    Icon("icon-512.png", 512),
    # Four fifths are never cut off (https://www.w3.org/TR/appmanifest/#icon-masks).
    Icon("icon-maskable-512.png", 512, share=0.8, fills=True),
    Icon("icon-touch-180.png", 180, share=0.9, fills=True),
)


def main() -> None:
    """Write all icons."""
    with chromium.launched() as browser:
        for icon, content in drawn(browser):
            (STATIC / icon.name).write_bytes(content)


def drawn(browser: Browser) -> Iterator[tuple[Icon, bytes]]:
    """Yield each icon with its PNG."""
    svg = DRAWING.read_text(encoding="utf-8")
    for icon in ICONS:
        page = browser.new_page(viewport={"width": icon.side, "height": icon.side})
        ground = _GROUND if icon.fills else "transparent"
        side = round(icon.side * icon.share)
        page.set_content(
            f"<style>*{{margin:0}}body{{display:grid;place-items:center;height:100vh;"
            f"background:{ground}}}svg{{width:{side}px;height:{side}px}}</style>{svg}"
        )
        yield icon, page.screenshot(omit_background=not icon.fills)
        page.close()


if __name__ == "__main__":
    main()
