"""Make the README's screenshots of the real pages: ``python -m deploy.screenshots``.

The services run with the published models. What they are shown is drawn by ``tests/specimens.py``,
and no picture of anybody; the people are made up.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page

from tests import chromium, specimens, stack

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "screenshots"
MOST_BYTES = 150_000

_ACCOUNT: dict[str, str | float | bool] = {
    "username": "dr.example",
    "password": "seven green bicycles",
}
SIZES: Mapping[str, Mapping[str, int]] = {
    "desktop": {"width": 1440, "height": 900},
    "phone": {"width": 390, "height": 844},
}
_SCHEMES = ("light", "dark")
# Two of one lesion, and some others; how they look is all the difference between the numbers.
_LESIONS = ((7, 21), (3,), (12,))
_SITES = ("posterior torso", "anterior torso", "upper extremity")


class Shot(NamedTuple):
    """A page, and at which sizes it is shown."""

    name: str
    path: str
    sizes: tuple[str, ...] = ("desktop",)


def main() -> None:
    """Write all screenshots."""
    FOLDER.mkdir(exist_ok=True)
    with stack.running() as services, chromium.launched() as browser:
        page = _signed_up(browser, services.rest)
        for shot in _shots(page, services.rest):
            for name, content in taken(page, services.rest, shot):
                (FOLDER / name).write_bytes(content)


def taken(page: Page, rest: str, shot: Shot) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the PNG of a page in each size, in light and in dark."""
    for size in shot.sizes:
        page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            answer = page.goto(f"{rest}{shot.path}", wait_until="networkidle")
            if answer is None or not answer.ok:
                raise RuntimeError(f"{shot.path} is no page")
            yield f"{shot.name}-{size}-{scheme}.png", _small(page.screenshot())


def _small(png: bytes) -> bytes:
    """Return a picture in as many colours as fit.

    Raises:
        ValueError: it does not fit even in few.

    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colors in (256, 128, 64, 32):
        smaller = io.BytesIO()
        picture.quantize(colors, Image.Quantize.MAXCOVERAGE).save(smaller, "PNG", optimize=True)
        if smaller.tell() < MOST_BYTES:
            return smaller.getvalue()
    raise ValueError("a screenshot is too large")


def _signed_up(browser: Browser, rest: str) -> Page:
    context = browser.new_context(service_workers="block")
    context.request.post(f"{rest}/sign-up", form=_ACCOUNT, max_redirects=0)
    return context.new_page()


def _shots(page: Page, rest: str) -> list[Shot]:
    """Fill a history, and return what is to be seen."""
    made = _made(page, rest)
    patient = made("/v1/patients", data={"identifier": "P-0001", "name": "Made-up Person"})
    lesions = [made("/v1/lesions", data={"patient": patient, "body_site": site}) for site in _SITES]
    analyses = [
        made(
            "/v1/analyses",
            multipart={
                "image": _file(seed),
                "lesion": lesion,
            },
        )
        for lesion, seeds in zip(lesions, _LESIONS, strict=True)
        for seed in seeds
    ]
    return [
        Shot("analyze", "/analyze", ("desktop", "phone")),
        Shot("result", f"/analyses/{analyses[0]}", ("desktop", "phone")),
        Shot("history", "/analyses"),
        Shot("lesion", f"/lesions/{lesions[0]}"),
        Shot("statistics", "/statistics"),
    ]


def _file(seed: int) -> dict[str, Any]:
    content = specimens.lesion_jpeg((1200, 900), seed)
    return {"name": f"{seed}.jpg", "mimeType": "image/jpeg", "buffer": content}


def _made(page: Page, rest: str) -> Callable[..., str]:
    def made(path: str, **options: Any) -> str:
        answer = page.request.post(f"{rest}{path}", timeout=60_000, **options)
        if not answer.ok:
            raise RuntimeError(f"{path}: {answer.text()}")
        found: str = answer.json()["id"]
        return found

    return made


if __name__ == "__main__":
    main()
