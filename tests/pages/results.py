"""Analyses for the tests of what shows them."""

from typing import Any

from PIL import Image

from tests import specimens
from tests.pages.conftest import Person


def analyzed(somebody: Person, picture: bytes | None = None, **said: str) -> dict[str, Any]:
    """Have a picture analyzed; by default a lesion that can be assessed."""
    file = ("picture", specimens.lesion_jpeg() if picture is None else picture)
    answer = somebody.api("POST", "/v1/analyses", files={"image": file}, data=said)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def unassessable() -> bytes:
    """A picture of one colour."""
    return specimens.encoded(Image.new("RGB", specimens.SIZE, specimens.SKIN))


def attached(somebody: Person, **patient: str) -> dict[str, str]:
    """Make a patient with a lesion, and return what attaches pictures to it."""
    made = somebody.api("POST", "/v1/patients", json=patient).json()
    lesion = {"patient": made["id"], "body_site": "posterior torso"}
    return {"lesion": somebody.api("POST", "/v1/lesions", json=lesion).json()["id"]}
