"""Analyses over HTTP: what comes back, what is kept, who may see it."""

import asyncio
import contextlib
import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.pb import inference_pb2 as pb
from tests import specimens
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import assessed, cannot_assess


def without_instance(problem: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in problem.items() if k not in {"instance", "request_id"}}


async def analyzed(client: Client, **fields: str) -> dict[str, Any]:
    answer = await client.analyze(**fields)
    assert answer.status_code == 201, answer.text
    analysis: dict[str, Any] = answer.json()
    return analysis


async def test_a_picture_becomes_the_analysis_that_the_public_face_promises(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()

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
    gateway: Gateway,
) -> None:
    gateway.inference.answer = cannot_assess(pb.REASON_TOO_DARK, pb.REASON_BLURRED)
    alice = await gateway.signed_in()

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


async def test_the_list_is_newest_first_and_pages_neither_repeat_nor_skip(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    made = [(await analyzed(alice))["id"] for _ in range(5)]

    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await alice("GET", "/v1/analyses", params=query)).json()
        assert page.keys() == {"items", "next_cursor"}
        seen += [item["id"] for item in page["items"]]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            break
        # One that comes meanwhile is newer than the page: it moves nothing.
        await analyzed(alice)

    assert seen == made[::-1]
    assert pages == 3


async def test_the_list_can_be_narrowed(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    first = await analyzed(alice, patient_id="P-1")
    melanoma = assessed()
    melanoma.classification.label = pb.LABEL_MEL
    gateway.inference.answer = melanoma
    second = await analyzed(alice, patient_id="P-2")

    async def listed(**query: str) -> list[str]:
        answer = await alice("GET", "/v1/analyses", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await listed(label="mel") == [second["id"]]
    assert await listed(label="nv") == [first["id"]]
    assert await listed(patient_id="P-1") == [first["id"]]
    assert await listed(patient_id="P-1", label="mel") == []
    assert await listed(since=second["created_at"]) == [second["id"]]
    assert await listed(until=second["created_at"]) == [first["id"]]
    elsewhere = datetime.fromisoformat(second["created_at"]).astimezone()
    assert await listed(since=elsewhere.isoformat()) == [second["id"]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
    assert await listed(since=tomorrow.isoformat()) == []


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"cursor": "nonsense"},
        {"cursor": "AAAA"},
        {"label": "melanoma"},
        {"since": "yesterday"},
        {"since": "1700000000"},
        {"until": "-1"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"patient_id": "a\0b"},
    ],
)
async def test_a_list_asked_for_wrongly_is_refused(either: Gateway, query: dict[str, str]) -> None:
    alice = await either.signed_in()

    answer = await alice("GET", "/v1/analyses", params=query)

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert next(iter(query)) in answer.json()["detail"]


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


async def test_nobody_removes_the_analyses_of_others(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    analysis = await analyzed(alice)
    mallory = await gateway.signed_in("mallory")

    refused = await mallory("DELETE", f"/v1/analyses/{analysis['id']}")

    assert refused.status_code == 404
    assert (await alice("GET", f"/v1/analyses/{analysis['id']}")).status_code == 200


async def test_a_removed_analysis_is_gone_with_its_pictures(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    analysis = await analyzed(alice)
    assert len(gateway.kept_files()) == 3

    removed = await alice("DELETE", f"/v1/analyses/{analysis['id']}")

    assert removed.status_code == 204
    assert removed.content == b""
    assert gateway.kept_files() == []
    assert (await alice("GET", f"/v1/analyses/{analysis['id']}")).status_code == 404
    assert (await alice("DELETE", f"/v1/analyses/{analysis['id']}")).status_code == 404


async def test_pictures_that_another_analysis_has_too_outlive_the_first(gateway: Gateway) -> None:
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
    first, second = await analyzed(alice), await analyzed(bob)
    assert len(gateway.kept_files()) == 3

    await alice("DELETE", f"/v1/analyses/{first['id']}")

    assert len(gateway.kept_files()) == 3
    kept = await bob("GET", f"/v1/analyses/{second['id']}/image")
    assert kept.status_code == 200
    await bob("DELETE", f"/v1/analyses/{second['id']}")
    assert gateway.kept_files() == []


async def test_analyses_that_come_and_go_together_never_lose_their_pictures(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()

    async def come_and_go() -> None:
        for _ in range(4):
            analysis = await analyzed(alice)
            picture = await alice("GET", f"/v1/analyses/{analysis['id']}/image")
            assert picture.status_code == 200, picture.text
            await alice("DELETE", f"/v1/analyses/{analysis['id']}")

    await asyncio.gather(*(come_and_go() for _ in range(4)))

    assert gateway.kept_files() == []


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
