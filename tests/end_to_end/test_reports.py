"""Reports from a record to a PDF that is read back, through all three services."""

import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from dermserve_client import Bearer, Client
from tests import specimens, stack, watched
from tests.end_to_end.test_command_line import dermserve

PATIENT = {
    "identifier": "made up 4711",
    "name": "Zoë Muster Ελένη",
    "birth_date": "1980-05-31",
    "sex": "female",
}


@pytest.fixture(scope="module")
def rest() -> Iterator[httpx.Client]:
    """A signed-in client of services that know where their pages are."""
    with (
        watched.running(
            **stack.UNHURRIED,
            DERMSERVE_GATEWAY_INSTITUTION="Skin Clinic of Nowhere",
            DERMSERVE_GATEWAY_PUBLIC_URL="https://derm.example",
        ) as services,
        httpx.Client(base_url=services.rest, timeout=120) as client,
    ):
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client)}"
        yield client


@pytest.fixture(scope="module")
def lesion(rest: httpx.Client) -> dict[str, Any]:
    """A lesion of a patient, looked at three times, and once by a clinician."""
    patient = rest.post("/v1/patients", json=PATIENT).json()
    site = {"patient": patient["id"], "body_site": "lower extremity"}
    made: dict[str, Any] = rest.post("/v1/lesions", json=site).json()
    for seed in range(3):
        file = {"image": specimens.lesion_jpeg(seed=seed)}
        sent = rest.post("/v1/analyses", files=file, data={"lesion": made["id"]})
        assert sent.status_code == 201, sent.text
        made["latest"] = sent.json()
    said = rest.put(
        f"/v1/analyses/{made['latest']['id']}/assessment",
        json={"verdict": "df", "reason": "Dimple sign."},
        headers={"If-None-Match": "*"},
    )
    assert said.status_code == 201, said.text
    return made


def read(rest: httpx.Client, path: str, language: str) -> tuple[str, PdfReader]:
    """Ask for a report, and return its words with the file."""
    answer = rest.get(f"{path}/report.pdf", params={"language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Language"] == language
    pdf = PdfReader(io.BytesIO(answer.content))
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split()), pdf


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["31 May 1980", "female", "Dermatofibroma", "Malignant probability"]),
        ("de", ["31. Mai 1980", "weiblich", "Dermatofibrom", "Wahrscheinlichkeit"]),
    ],
)
def test_a_report_has_what_the_record_knows_in_the_language_that_was_asked_for(
    rest: httpx.Client, lesion: dict[str, Any], language: str, words: list[str]
) -> None:
    analysis = lesion["latest"]

    until = time.monotonic() + 120
    text, pdf = read(rest, f"/v1/analyses/{analysis['id']}", language)
    # What the operating point was measured on: inference has a second to tell it, and is not asked
    # again for half a minute.
    while "HAM10000" not in text:
        assert time.monotonic() < until, text
        text, pdf = read(rest, f"/v1/analyses/{analysis['id']}", language)

    for word in (*words, PATIENT["name"], PATIENT["identifier"], "Skin Clinic of Nowhere"):
        assert word in text, word
    assert "Dimple sign." in text
    assert analysis["image"]["sha256"] in text.replace(" ", "")
    assert str(pdf.trailer["/Root"]["/Lang"]) == language  # type: ignore[index]


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_lesion_is_reported_over_time(
    rest: httpx.Client, lesion: dict[str, Any], language: str
) -> None:
    text, pdf = read(rest, f"/v1/lesions/{lesion['id']}", language)

    assert PATIENT["name"] in text
    assert sum(len(page.images) for page in pdf.pages) >= 3


@pytest.mark.parametrize(
    ("language", "why"), [("en", "not a JPEG or PNG"), ("de", "kein JPEG oder PNG")]
)
def test_a_batch_is_reported_with_what_failed(rest: httpx.Client, language: str, why: str) -> None:
    names = ("first.jpg", "unreadable.jpg", "third.jpg")
    contents = (specimens.lesion_jpeg(seed=4), b"no picture", specimens.lesion_jpeg(seed=5))
    files = [("images", pair) for pair in zip(names, contents, strict=True)]
    where = rest.post("/v1/batches", files=files).headers["Location"]
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    with Client(str(rest.base_url), Bearer(token)) as client:
        *_, batch = client.batches.watch(where.rpartition("/")[2])

    text, pdf = read(rest, where, language)

    assert (batch.succeeded, batch.failed) == (2, 1)
    assert all(name in text for name in names)
    assert why in text
    assert sum(len(page.images) for page in pdf.pages) >= 2


def test_the_command_writes_a_report_to_a_file(
    rest: httpx.Client, lesion: dict[str, Any], tmp_path: Path
) -> None:
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    environment = {"DERMSERVE_SERVER": str(rest.base_url), "DERMSERVE_TOKEN": token}
    file = tmp_path / "course.pdf"
    options = ("--language", "de", "--out", file)

    said, _ = dermserve("reports", "lesion", lesion["id"], *options, env=environment)
    _, refused = dermserve("reports", "batch", "0" * 32, status=2, env=environment)

    assert said.strip() == str(file)
    assert PATIENT["name"] in PdfReader(file).pages[0].extract_text()
    assert "There is no batch of this id" in refused
