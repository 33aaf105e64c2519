"""The README's screenshots are there, as large as they were taken, and light."""

import re

from PIL import Image

from deploy import screenshots

README = screenshots.FOLDER.parents[1] / "README.md"


def test_the_readme_shows_screenshots_that_are_there() -> None:
    shown = re.findall(r"docs/screenshots/([\w-]+\.png)", README.read_text(encoding="utf-8"))

    assert len(shown) >= 4
    assert set(shown) <= {path.name for path in screenshots.FOLDER.iterdir()}


def test_every_screenshot_is_light_and_of_a_size_that_is_shown() -> None:
    for path in screenshots.FOLDER.iterdir():
        size = path.stem.split("-")[1]
        with Image.open(path) as picture:
            expected = screenshots.SIZES[size]
            assert picture.size == (expected["width"], expected["height"]), path.name
        assert path.stat().st_size < screenshots.MOST_BYTES, path.name
