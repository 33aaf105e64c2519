"""Pictures of nothing: drawn by arithmetic, the same every time, and never a lesion.

Whoever uses the product will one day send it a screenshot, a scanned letter or
a black frame. These pictures, unlike collections of photographs, can be shared
and made anew; tests and the evaluation use the same ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Drawing = Callable[[np.random.Generator, int], np.ndarray]

HEIGHT, WIDTH = 450, 600
INK = (30, 30, 30)
PAPER = 245
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "naps")


def draw(seed: int = 7) -> dict[str, np.ndarray]:
    """Draw all of them: uint8 RGB, 450 x 600 x 3, by names like ``noise-2``."""
    return {
        f"{kind}-{number + 1}": drawing(np.random.default_rng([seed, place, number]), number)
        for place, (kind, (count, drawing)) in enumerate(KINDS.items())
        for number in range(count)
    }


def encoded(seed: int = 7) -> dict[str, bytes]:
    """Draw all of them as PNG files, by name without a suffix."""
    return {
        name: cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
        for name, pixels in draw(seed).items()
    }


def noise(rng: np.random.Generator, number: int) -> np.ndarray:
    """Draw noise: uniform, Gaussian, gray, or uniform in blocks of some pixels."""
    if number == 0:
        return rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    if number == 1:
        return _clipped(rng.normal(128, 40, (HEIGHT, WIDTH, 3)))
    if number == 2:  # noqa: PLR2004 - the third of four
        return np.repeat(_clipped(rng.normal(128, 40, (HEIGHT, WIDTH, 1))), 3, axis=2)
    blocks = rng.integers(0, 256, (HEIGHT // 30, WIDTH // 30, 3), np.uint8)
    return _enlarged(blocks, cv2.INTER_NEAREST)


def flat(_rng: np.random.Generator, number: int) -> np.ndarray:
    """Fill the frame with one color: black, white, gray, skin, red, green or blue."""
    colors = [(0,) * 3, (255,) * 3, (128,) * 3, (224, 172, 150), (200, 30, 30), (30, 160, 60)]
    return _filled([*colors, (40, 60, 200)][number])


def gradient(rng: np.random.Generator, number: int) -> np.ndarray:
    """Let one color run into another, along a line or from the middle outwards."""
    one, other = rng.integers(0, 256, (2, 3))
    yy, xx = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    angle = rng.uniform(0, np.pi)
    along = (np.cos(angle) * xx + np.sin(angle) * yy + 1.5) / 3
    way = along if number % 2 == 0 else np.hypot(xx, yy) / np.sqrt(2)
    return _clipped(one + (other - one) * way[:, :, None])


def soft_colors(rng: np.random.Generator, _number: int) -> np.ndarray:
    """Let a few random colors run into each other, as an out-of-focus photograph does."""
    return _enlarged(rng.integers(0, 256, (4, 5, 3), np.uint8), cv2.INTER_CUBIC)


def checkerboard(rng: np.random.Generator, number: int) -> np.ndarray:
    """Draw a checkerboard of two colors."""
    side = (12, 40, 75)[number]
    yy, xx = np.mgrid[:HEIGHT, :WIDTH] // side
    return _two_colors(rng, (yy + xx) % 2 == 0)


def stripes(rng: np.random.Generator, number: int) -> np.ndarray:
    """Draw stripes of two colors at an angle."""
    angle, width = rng.uniform(0, np.pi), (8, 24, 60)[number]
    yy, xx = np.mgrid[:HEIGHT, :WIDTH]
    return _two_colors(rng, np.sin((np.cos(angle) * xx + np.sin(angle) * yy) * np.pi / width) > 0)


def text_page(rng: np.random.Generator, number: int) -> np.ndarray:
    """Write a page of words, black on white paper."""
    page = _filled((PAPER, PAPER, PAPER - 5 * number))
    size = (0.5, 0.7, 1.1)[number]
    for baseline in range(40, HEIGHT - 20, round(46 * size)):
        line = " ".join(rng.choice(_WORDS, 14))
        cv2.putText(page, line, (30, baseline), _FONT, size, INK, 1 + number // 2, cv2.LINE_AA)
        page[:, WIDTH - 30 :] = PAPER
    return page


def screenshot(rng: np.random.Generator, _number: int) -> np.ndarray:
    """Draw a desktop with windows, title bars, lines of text and buttons."""
    screen = _filled(rng.integers(40, 140, 3))
    for _ in range(4):
        left, top = int(rng.integers(0, WIDTH - 260)), int(rng.integers(20, HEIGHT - 180))
        _window(screen, (left, top, 250, 165), rng)
    cv2.rectangle(screen, (0, HEIGHT - 24), (WIDTH, HEIGHT), (25, 25, 35), -1)
    return screen


def _window(screen: np.ndarray, frame: tuple[int, int, int, int], rng: np.random.Generator) -> None:
    left, top, width, height = frame
    cv2.rectangle(screen, (left, top), (left + width, top + height), (PAPER,) * 3, -1)
    bar = rng.integers(30, 220, 3).tolist()
    cv2.rectangle(screen, (left, top), (left + width, top + 20), bar, -1)
    for line in range(top + 42, top + height - 30, 18):
        words = " ".join(rng.choice(_WORDS, 5))
        cv2.putText(screen, words[:30], (left + 10, line), _FONT, 0.4, INK, 1, cv2.LINE_AA)
    corner = (left + width - 70, top + height - 26), (left + width - 10, top + height - 8)
    cv2.rectangle(screen, *corner, (60, 110, 220), -1)


def face(rng: np.random.Generator, _number: int) -> np.ndarray:
    """Draw a face before a wall, with hair, eyes and mouth, a little out of focus."""
    picture = _filled(rng.integers(90, 220, 3))
    skin = np.array([224, 172, 140]) * rng.uniform(0.45, 1.05)
    hair = rng.integers(15, 120, 3).tolist()
    x, y = WIDTH // 2 + int(rng.integers(-60, 60)), HEIGHT // 2 + 10
    cv2.ellipse(picture, (x, y - 30), (125, 160), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y + 10), (100, 140), 0, 0, 360, skin.tolist(), -1, cv2.LINE_AA)
    for eye in (x - 40, x + 40):
        cv2.ellipse(picture, (eye, y - 20), (20, 11), 0, 0, 360, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.circle(picture, (eye, y - 20), 9, (60, 40, 25), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y + 35), (12, 20), 0, 0, 180, (skin * 0.75).tolist(), 3, cv2.LINE_AA)
    cv2.ellipse(picture, (x, y + 80), (42, 16), 0, 0, 180, (170, 60, 60), -1, cv2.LINE_AA)
    return _clipped(cv2.GaussianBlur(picture, (0, 0), 2) + rng.normal(0, 5, picture.shape))


def chart(rng: np.random.Generator, number: int) -> np.ndarray:
    """Draw a diagram: bars, or a line with a grid."""
    page = _filled((255, 255, 255))
    for y in range(50, HEIGHT - 40, 50):
        cv2.line(page, (50, y), (WIDTH - 30, y), (215, 215, 215), 1)
    heights = rng.integers(30, HEIGHT - 110, 8)
    xs = np.linspace(75, WIDTH - 75, 8).astype(int)
    tops = HEIGHT - 45 - heights
    for x, top in zip(xs.tolist(), tops.tolist(), strict=True):
        if number == 0:
            cv2.rectangle(page, (x - 18, top), (x + 18, HEIGHT - 45), (50, 110, 180), -1)
    if number:
        cv2.polylines(page, [np.stack([xs, tops], axis=1)], False, (190, 60, 40), 3, cv2.LINE_AA)  # noqa: FBT003 - OpenCV takes it by place
    cv2.rectangle(page, (50, 40), (WIDTH - 30, HEIGHT - 45), INK, 2)
    return page


KINDS: dict[str, tuple[int, Drawing]] = {
    "noise": (4, noise),
    "flat": (7, flat),
    "gradient": (4, gradient),
    "soft-colors": (3, soft_colors),
    "checkerboard": (3, checkerboard),
    "stripes": (3, stripes),
    "text-page": (3, text_page),
    "screenshot": (3, screenshot),
    "face": (4, face),
    "chart": (2, chart),
}
"""How many there are of each kind, and what draws them."""


def _filled(color: np.ndarray | tuple[int, ...]) -> np.ndarray:
    return np.full((HEIGHT, WIDTH, 3), np.asarray(color), np.uint8)


def _clipped(values: np.ndarray) -> np.ndarray:
    clipped: np.ndarray = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return clipped


def _enlarged(blocks: np.ndarray, how: int) -> np.ndarray:
    enlarged: np.ndarray = cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=how)
    return enlarged


def _two_colors(rng: np.random.Generator, where: np.ndarray) -> np.ndarray:
    one, other = rng.integers(0, 256, (2, 3))
    chosen: np.ndarray = np.where(where[:, :, None], one, other).astype(np.uint8)
    return chosen
