"""Reports of analyses: made of what the record says, by a service that may be in trouble."""

import grpc
import pytest

from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway, Start
from tests.gateway.counterparts import assessed, cannot_assess
from tests.gateway.test_pictures import analyzed


async def test_the_report_is_made_from_the_record(start: Start) -> None:
    async with start(institution="Skin Clinic, Ward 7") as gateway:
        alice = await gateway.signed_in()
        sent = await alice.analyze(patient_id="P-1", patient_name="Zoë", body_site="arm")
        where = sent.headers["Location"]

        answer = await alice("GET", f"{where}/report.pdf")

        assert answer.content == b"%PDF-1.7 scripted"
        asked = gateway.reports.requests[0].analysis
        found = assessed()
        assert asked.analysis_id == sent.json()["id"]
        assert asked.created_at == sent.json()["created_at"][:19] + "Z"
        assert asked.institution == "Skin Clinic, Ward 7"
        assert (asked.patient.id, asked.patient.name) == ("P-1", "Zoë")
        assert (asked.body_site, asked.lesion_id, asked.note) == ("arm", "", "")
        assert asked.image == (await alice("GET", f"{where}/image")).content
        assert asked.mask_png == found.segmentation.mask_png
        assert asked.explanation_png == found.classification.explanation_png
        assert asked.classification.label_name == "Melanocytic nevus"
        assert (
            asked.classification.suspicious_threshold == found.classification.suspicious_threshold
        )
        assert [each.label for each in asked.classification.probabilities] == [
            "akiec",
            "bcc",
            "bkl",
            "df",
            "mel",
            "nv",
            "vasc",
        ]
        assert asked.segmentation.area_fraction == found.segmentation.area_fraction
        assert [model.name for model in asked.models] == ["segmenter", "classifier"]
        assert asked.notice == found.notice


async def test_the_report_of_a_picture_that_was_not_assessed_leaves_out_what_there_is_not(
    gateway: Gateway,
) -> None:
    gateway.inference.answer = cannot_assess(pb.REASON_BLURRED)
    alice = await gateway.signed_in()
    where = await analyzed(alice)

    assert (await alice("GET", f"{where}/report.pdf")).status_code == 200

    asked = gateway.reports.requests[0].analysis
    assert not asked.HasField("classification")
    assert not asked.HasField("segmentation")
    assert not asked.HasField("patient")
    assert (asked.mask_png, asked.explanation_png) == (b"", b"")
    assert list(asked.quality.reasons) == ["blurred"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, 502),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 503),
        (grpc.StatusCode.UNAVAILABLE, 503),
        (grpc.StatusCode.DEADLINE_EXCEEDED, 504),
        (grpc.StatusCode.INTERNAL, 502),
    ],
)
async def test_reports_in_trouble_are_said_so(
    gateway: Gateway, code: grpc.StatusCode, status: int
) -> None:
    alice = await gateway.signed_in()
    where = await analyzed(alice)
    gateway.reports.failure = (code, "secret")

    answer = await alice("GET", f"{where}/report.pdf")

    assert answer.status_code == status
    assert "secret" not in answer.text


async def test_without_reports_all_else_still_works(start: Start) -> None:
    async with start(reports_address="127.0.0.1:1") as gateway:
        alice = await gateway.signed_in()
        where = await analyzed(alice)

        assert (await alice("GET", f"{where}/report.pdf")).status_code == 503
        assert (await alice("GET", f"{where}/overlay.png")).status_code == 200
