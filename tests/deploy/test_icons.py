"""The icons of the web app are what its drawing makes of them."""

import io

import pytest
from PIL import Image, ImageChops

from deploy import icons
from tests import chromium


@pytest.mark.skipif(chromium.found() is None, reason="no Chromium")
def test_every_icon_is_drawn_from_the_one_drawing() -> None:
    with chromium.launched() as browser:
        for icon, content in icons.drawn(browser):
            now = Image.open(io.BytesIO(content)).convert("RGBA")
            kept = Image.open(icons.STATIC / icon.name).convert("RGBA")
            assert kept.size == (icon.side, icon.side)
            assert len(kept.getcolors(icon.side**2) or ()) > 10
            # Another version of the browser may smooth edges in another way.
            apart = ImageChops.difference(now, kept).convert("L").histogram()
            assert sum(apart[64:]) <= icon.side, icon.name
