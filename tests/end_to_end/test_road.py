"""One picture from upload to PDF, through three processes and real sockets."""

import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from tests import specimens, stack
from tests.stack import Stack
from tests.watched import Search

ROOT = Path(__file__).parents[2]
LABELS = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]


@pytest.fixture(scope="module")
def analysis(rest: httpx.Client) -> dict[str, Any]:
    response = rest.post(
        "/v1/analyses",
        files={"image": ("lesion.jpg", specimens.lesion_jpeg(), "image/jpeg")},
        data={
            "patient_id": "4711",
            "patient_name": "Żółć Ελένη Щукина",
            "body_site": "left forearm",
        },
    )
    assert response.status_code == 201, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/analyses/{found['id']}"
    return found


def fetched(rest: httpx.Client, analysis: dict[str, Any], name: str) -> bytes:
    response = rest.get(f"/v1/analyses/{analysis['id']}/{name}")
    assert response.status_code == 200, response.text
    return response.content


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_analysis_has_the_promised_shape(analysis: dict[str, Any]) -> None:
    assert analysis["status"] == "succeeded"
    assert analysis["outcome"] == "assessed"
    assert analysis["created_at"].endswith("Z")
    assert analysis["image"].keys() == {"sha256", "width", "height", "format"}
    assert (analysis["image"]["width"], analysis["image"]["height"]) == (600, 450)
    assert analysis["quality"] == {"acceptable": True, "reasons": []}
    assert analysis["notice"] == "Research and decision support only. Not a diagnosis."
    assert analysis["timings"].keys() == {"queue_ms", "run_ms", "total_ms"}


def test_an_analysis_says_how_it_was_made_and_a_replay_of_it_agrees(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    method = analysis["method"]
    assert "pillow" in method["preprocessing"]
    assert method["thresholds"]["suspicious"] == analysis["classification"]["suspicious_threshold"]
    assert {"mask", "novelty", "least_sharpness"} <= method["thresholds"].keys()
    response = rest.post(f"/v1/analyses/{analysis['id']}/replay")
    assert response.status_code == 200, response.text
    replay = response.json()
    assert replay["agrees"]
    assert replay["same_method"]
    assert replay["probability_difference"] == pytest.approx(0, abs=1e-6)


def test_seven_probabilities_sum_to_one_and_name_the_likeliest_label(
    analysis: dict[str, Any],
) -> None:
    found = analysis["classification"]
    probabilities = found["probabilities"]
    assert list(probabilities) == LABELS
    assert sum(probabilities.values()) == pytest.approx(1, abs=1e-9)
    assert found["label"] == max(probabilities, key=probabilities.get)
    malignant = probabilities["akiec"] + probabilities["bcc"] + probabilities["mel"]
    assert found["malignant_probability"] == pytest.approx(malignant)


def test_the_models_are_the_published_files(analysis: dict[str, Any]) -> None:
    for model in analysis["models"]:
        file = ROOT / "weights" / "models" / model["name"] / model["version"] / "model.onnx"
        assert model["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_mask_covers_the_spot_that_was_drawn(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    mask = pixels(fetched(rest, analysis, "mask.png"))
    assert mask.shape == (450, 600)
    assert mask[225, 300] == 255
    assert mask[10, 10] == 0
    share = float((mask > 0).mean())
    assert share == pytest.approx(analysis["segmentation"]["area_fraction"], abs=0.01)
    x, y, width, height = analysis["segmentation"]["bounding_box"]
    rows, columns = np.nonzero(mask)
    assert (columns.min(), rows.min()) == (x, y)
    assert (columns.max() - x + 1, rows.max() - y + 1) == (width, height)


def test_overlay_and_explanation_are_the_picture_with_something_laid_over_it(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    picture = pixels(fetched(rest, analysis, "image")).astype(int)
    for name in ("overlay.png", "explanation.png"):
        drawn = pixels(fetched(rest, analysis, name)).astype(int)
        assert drawn.shape == picture.shape
        changed = (np.abs(drawn - picture).max(axis=2) > 3).mean()
        assert 0.001 < changed < 1, name


def test_the_picture_that_is_kept_is_the_one_whose_hash_is_recorded(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    kept = fetched(rest, analysis, "image")
    assert hashlib.sha256(kept).hexdigest() == analysis["image"]["sha256"]


def test_the_report_says_what_the_analysis_says(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    text = words(fetched(rest, analysis, "report.pdf"))
    assert analysis["classification"]["label_name"] in text
    assert "Żółć Ελένη Щукина" in text
    assert analysis["notice"] in text
    unspaced = text.replace(" ", "")
    for model in analysis["models"]:
        assert model["sha256"] in unspaced
    assert analysis["id"] in unspaced


def test_two_reports_of_an_analysis_differ_in_nothing_but_when_they_were_asked_for(
    rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    first, second = (
        re.sub(r"Report of .*? UTC", "", words(fetched(rest, analysis, "report.pdf")))
        for _ in range(2)
    )
    assert first == second


def test_a_lesion_over_time_and_a_batch_are_printed_in_the_language_asked_for(
    rest: httpx.Client,
) -> None:
    patient = {"identifier": "4712", "name": "Ελένη Πρώτη", "birth_date": "1980-05-31"}
    patient = rest.post("/v1/patients", json=patient).raise_for_status().json()
    lesion = {"patient": patient["id"], "body_site": "upper extremity"}
    lesion = rest.post("/v1/lesions", json=lesion).raise_for_status().json()
    picture = specimens.lesion_jpeg()
    for _ in range(2):
        sent = {"image": ("lesion.jpg", picture, "image/jpeg")}
        found = rest.post("/v1/analyses", files=sent, data={"lesion": lesion["id"]})
        latest = found.raise_for_status().json()
    verdict = {"verdict": "cannot_tell", "reason": "Zu nah."}
    address = f"/v1/analyses/{latest['id']}"
    first = {"If-None-Match": "*"}
    rest.put(f"{address}/assessment", json=verdict, headers=first).raise_for_status()
    sent_at_once = [("images", ("one.jpg", picture)), ("images", ("two.jpg", b"no picture"))]
    batch = rest.post("/v1/batches", files=sent_at_once).raise_for_status().json()

    follow_up = printed(rest, f"{address}/report.pdf")
    assert "Frühere Analysen dieser Läsion" in follow_up
    assert "An dieser Aufnahme nicht zu entscheiden Zu nah." in follow_up
    over_time = printed(rest, f"/v1/lesions/{lesion['id']}/report.pdf")
    assert "Verlaufsbericht" in over_time
    assert "Ελένη Πρώτη geboren am 31. Mai 1980" in over_time
    assert "obere Extremität" in over_time
    together = printed(rest, f"/v1/batches/{batch['id']}/report.pdf")
    assert "Sammelbericht" in together
    assert "one.jpg" in together


def printed(rest: httpx.Client, path: str) -> str:
    return words(rest.get(path, params={"language": "de"}).raise_for_status().content)


def words(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_the_analysis_is_listed_shown_and_gone_when_deleted(rest: httpx.Client) -> None:
    file = {"image": ("lesion.png", specimens.encoded(specimens.lesion(seed=3), "PNG"))}
    made = rest.post("/v1/analyses", files=file).json()
    assert rest.get("/v1/analyses").json()["items"][0] == made
    assert rest.get(f"/v1/analyses/{made['id']}").json() == made
    assert rest.delete(f"/v1/analyses/{made['id']}").status_code == 204
    assert rest.get(f"/v1/analyses/{made['id']}").status_code == 404


def test_a_photograph_of_something_else_cannot_be_assessed(rest: httpx.Client) -> None:
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(blocks).resize((640, 480), Image.Resampling.NEAREST)
    answer = rest.post("/v1/analyses", files={"image": specimens.encoded(picture, "PNG")}).json()
    assert answer["outcome"] == "cannot_assess"
    assert answer["classification"] is None
    assert answer["quality"]["reasons"]
    report = rest.get(f"/v1/analyses/{answer['id']}/report.pdf")
    assert report.status_code == 200


def test_the_serving_models_are_listed_with_their_evaluation(rest: httpx.Client) -> None:
    for model in rest.get("/v1/models").json()["items"]:
        kept = ROOT / "weights" / "models" / model["name"] / model["version"] / "evaluation.json"
        evaluation = json.loads(kept.read_text())
        headline, report = evaluation["headline"], evaluation["results"]["report_fold"]
        assert model["evaluation"]["evaluated_on"] == headline.pop("split")
        assert model["evaluation"]["metrics"] == pytest.approx(headline)
        intervals = model["evaluation"]["intervals"]
        assert intervals.keys() == headline.keys()
        for name in headline.keys() & report.keys():
            assert intervals[name] == pytest.approx(_ends(report[name]))
        if model["name"] == "classifier":
            for name in ("sensitivity", "specificity"):
                assert intervals[f"suspicious_{name}"] == _ends(report["suspicious"][name])


def _ends(figure: dict[str, float]) -> dict[str, float]:
    return {end: figure[end] for end in ("low", "high")}


def test_what_the_services_write_is_searched_for_what_was_told_to_one_of_them(
    services: Stack, rest: httpx.Client, analysis: dict[str, Any]
) -> None:
    folder = Path(services.environment["DERMSERVE_DATA_DIR"])
    rest.get(f"/v1/analyses/{analysis['id']}/report.pdf").raise_for_status()
    patient = {"identifier": "number 4713", "name": "Ada Example", "birth_date": "1980-05-31"}
    rest.post("/v1/patients", json=patient).raise_for_status()
    search = Search(written=list(services.written or ()))
    search.know(folder, services.environment)
    heard = {json.loads(line)["service"] for line in search.written if line.startswith("{")}
    assert heard == {"gateway", "inference", "reports"}
    assert list(search.leaks()) == []

    sealing_key = (folder / "sealing-key.hex").read_text().strip()
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    secrets = {*patient.values(), analysis["patient_name"], sealing_key, token, stack.PASSWORD}
    for secret in secrets:
        search.write(json.dumps({"service": "inference", "event": f"told {secret}"}))

    assert {secret for secret, _ in search.leaks()} == secrets


def test_memory_settles_within_bounds_after_large_pictures(
    services: Stack, rest: httpx.Client
) -> None:
    photo = specimens.lesion_jpeg((4000, 3000))
    flat = specimens.encoded(Image.new("RGB", (7000, 7000), (190, 130, 110)), "PNG")
    for picture in (photo, flat, photo):
        assert rest.post("/v1/analyses", files={"image": picture}).status_code == 201
    resident = {name: _resident_mb(process.pid) for name, process in services.processes.items()}
    assert resident["inference"] <= 600
    assert resident["gateway"] <= 250


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
