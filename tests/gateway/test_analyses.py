"""Analyses over HTTP: what comes back, what is kept, who may see it."""

import contextlib
import json
import re
import sqlite3
from typing import Any

import pytest

from services.pb import inference_pb2 as pb
from tests import specimens
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import cannot_assess


def without_instance(problem: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in problem.items() if k not in {"instance", "request_id"}}


async def analyzed(
    client: Client, picture: bytes | None = None, /, **fields: str
) -> dict[str, Any]:
    answer = await client.analyze(picture, **fields)
    assert answer.status_code == 201, answer.text
    analysis: dict[str, Any] = answer.json()
    return analysis


async def test_a_picture_becomes_the_analysis_that_the_public_face_promises(
    either: Gateway,
) -> None:
    alice = await either.signed_in()

    answer = await alice.analyze(patient_id="P-1", body_site="left forearm")

    assert answer.status_code == 201, answer.text
    analysis = answer.json()
    assert answer.headers["Location"] == f"/v1/analyses/{analysis['id']}"
    assert re.fullmatch(r"[0-9a-f]{32}", analysis["id"])
    assert analysis["created_at"].endswith("Z")
    assert (analysis["status"], analysis["outcome"]) == ("succeeded", "assessed")
    assert analysis["image"].keys() == {"sha256", "width", "height", "format"}
    assert (analysis["image"]["width"], analysis["image"]["height"]) == specimens.SIZE
    assert analysis["image"]["format"] == "jpeg"
    assert (analysis["patient_id"], analysis["lesion_id"]) == ("P-1", None)
    assert analysis["body_site"] == "left forearm"
    assert analysis["classification"] == {
        "label": "nv",
        "label_name": "Melanocytic nevus",
        "probabilities": {
            "akiec": 0.01,
            "bcc": 0.0,
            "bkl": 0.03,
            "df": 0.0,
            "mel": 0.05,
            "nv": 0.9,
            "vasc": 0.01,
        },
        "malignant_probability": 0.06,
        "suspicious": False,
        "suspicious_threshold": 0.3,
    }
    assert analysis["segmentation"] == {
        "area_fraction": 0.0625,
        "bounding_box": [150, 112, 150, 113],
        "asymmetry": 0.1,
        "border_irregularity": 0.2,
        "color_variegation": 0.3,
    }
    assert analysis["quality"] == {"acceptable": True, "reasons": []}
    assert analysis["models"] == [
        {
            "name": "segmenter",
            "version": "3",
            "sha256": "a" * 64,
            "execution_provider": "CPUExecutionProvider",
            "precision": "fp32",
            "variant_of": None,
        },
        {
            "name": "classifier",
            "version": "5",
            "sha256": "b" * 64,
            "execution_provider": "OpenVINO",
            "precision": "int8",
            "variant_of": "c" * 64,
        },
    ]
    assert analysis["timings"] == {"queue_ms": 0.5, "run_ms": 31.0, "total_ms": 45.25}
    assert analysis["notice"] == "Research and decision support only. Not a diagnosis."
    shown = await alice("GET", answer.headers["Location"])
    assert shown.json() == analysis


async def test_a_picture_that_cannot_be_assessed_has_reasons_and_no_classification(
    either: Gateway,
) -> None:
    either.inference.answer = cannot_assess(pb.REASON_TOO_DARK, pb.REASON_BLURRED)
    alice = await either.signed_in()

    analysis = await analyzed(alice)

    assert (analysis["status"], analysis["outcome"]) == ("succeeded", "cannot_assess")
    assert analysis["classification"] is None
    assert analysis["segmentation"] is None
    assert analysis["quality"] == {"acceptable": False, "reasons": ["too_dark", "blurred"]}


@pytest.mark.parametrize("kind", ["jpeg", "png"])
async def test_the_bytes_themselves_are_taken_as_well(gateway: Gateway, kind: str) -> None:
    alice = await gateway.signed_in()
    content = specimens.encoded(specimens.lesion(), kind)

    answer = await alice(
        "POST", "/v1/analyses", content=content, headers={"Content-Type": f"image/{kind}"}
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["image"]["format"] == kind


async def test_inference_gets_the_picture_that_is_kept_the_request_id_and_the_time_left(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()

    answer = await alice(
        "POST",
        "/v1/analyses",
        files={"image": specimens.lesion_jpeg()},
        headers={"X-Request-Id": "ward-7.example"},
    )

    assert answer.headers["X-Request-Id"] == "ward-7.example"
    kept = await alice("GET", f"{answer.headers['Location']}/image")
    assert gateway.inference.requests[0].image == kept.content
    assert gateway.inference.metadata[0]["x-request-id"] == "ward-7.example"
    remaining = gateway.inference.remaining_s[0]
    assert remaining is not None
    assert 0 < remaining <= gateway.settings.analysis_timeout_s


@pytest.mark.parametrize("tail", ["", "/image", "/mask.png", "/overlay.png", "/report.pdf"])
async def test_an_analysis_of_others_looks_like_a_missing_one_even_to_administrators(
    gateway: Gateway, tail: str
) -> None:
    alice = await gateway.signed_in()
    analysis = await analyzed(alice)

    for stranger in (await gateway.signed_in("mallory"), await gateway.admin()):
        theirs = await stranger("GET", f"/v1/analyses/{analysis['id']}{tail}")
        missing = await stranger("GET", f"/v1/analyses/{'0' * 32}{tail}")
        malformed = await stranger("GET", f"/v1/analyses/no-such-id{tail}")

        assert theirs.status_code == missing.status_code == malformed.status_code == 404
        assert without_instance(theirs.json()) == without_instance(missing.json())
        assert without_instance(theirs.json()) == without_instance(malformed.json())
        assert theirs.headers.keys() == missing.headers.keys()
    assert (await stranger("GET", "/v1/analyses")).json()["items"] == []


async def test_what_is_kept_is_readable_for_its_owner_only(gateway: Gateway) -> None:
    await analyzed(await gateway.signed_in())

    kept = [*gateway.kept_files(), gateway.settings.data_dir / "signing-key.pem"]

    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    folders = {path.parent for path in gateway.kept_files()}
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


async def test_a_record_from_before_it_was_kept_what_ran_is_shown_as_it_is(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    made = await analyzed(alice)
    with contextlib.closing(sqlite3.connect(gateway.settings.data_dir / "gateway.db")) as kept:
        (found,) = kept.execute("SELECT findings FROM analyses").fetchone()
        findings = json.loads(found)
        for model in findings["models"]:
            del model["execution_provider"], model["precision"], model["variant_of"]
        kept.execute("UPDATE analyses SET findings = ?", [json.dumps(findings)])
        kept.commit()

    shown = (await alice("GET", f"/v1/analyses/{made['id']}")).json()

    unknown = {"execution_provider": None, "precision": None, "variant_of": None}
    assert shown["models"] == [{**model, **unknown} for model in made["models"]]
