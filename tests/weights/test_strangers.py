"""Drawn strangers are the same for everybody, and the models refuse what is plainly nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from weights import strangers


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    return strangers.draw()


def test_all_are_pictures_of_one_size(drawn: dict[str, np.ndarray]) -> None:
    assert {(pixels.shape, pixels.dtype.name) for pixels in drawn.values()} == {
        ((450, 600, 3), "uint8")
    }


def test_every_kind_is_numbered_from_one(drawn: dict[str, np.ndarray]) -> None:
    expected = [f"{k}-{n + 1}" for k, (count, _) in strangers.KINDS.items() for n in range(count)]
    assert list(drawn) == expected


def test_no_two_are_alike(drawn: dict[str, np.ndarray]) -> None:
    assert len({pixels.tobytes() for pixels in drawn.values()}) == len(drawn)


def test_they_are_the_same_every_time_and_others_with_another_seed(
    drawn: dict[str, np.ndarray],
) -> None:
    again, others = strangers.draw(), strangers.draw(seed=8)
    assert all(np.array_equal(drawn[name], again[name]) for name in drawn)
    assert not np.array_equal(drawn["noise-1"], others["noise-1"])


def test_files_hold_what_was_drawn(drawn: dict[str, np.ndarray]) -> None:
    files = strangers.encoded()
    assert files.keys() == drawn.keys()
    read = np.asarray(Image.open(io.BytesIO(files["face-1"])))
    assert np.array_equal(read, drawn["face-1"])
