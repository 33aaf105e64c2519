"""Reports of analyses: asked for with all that the record knows, in a language of ours."""

from typing import Any

import pytest
from prometheus_client import generate_latest

from services.pb.reports_pb2 import AnalysisReport, Narrative, RenderRequest
from tests import specimens
from tests.gateway import language_models
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import cannot_assess, opened
from tests.gateway.language_models import GOOD_IN_GERMAN, MODEL, says, slow
from tests.gateway.receivers import receiving
from tests.gateway.test_assessments import said
from tests.gateway.test_patients import ANN, made, share

PATIENT = {"report_timeout_s": 60, "narrative_timeout_s": 60}
"""Settings of a gateway that waits for a language model."""


async def printed(gateway: Gateway, client: Client, path: str, **options: Any) -> RenderRequest:
    """Ask for a report, and return what the report service was asked."""
    answer = await client("GET", f"{path}/report.pdf", **options)
    assert answer.status_code == 200, answer.text
    asked: RenderRequest = gateway.reports.requests[-1]
    return asked


async def of_analysis(gateway: Gateway, client: Client, path: str) -> AnalysisReport:
    return (await printed(gateway, client, path)).analysis


async def with_lesion(client: Client) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make a patient and a lesion."""
    patient = await made(client, **ANN)
    values = {"patient": patient["id"], "body_site": "lower extremity"}
    return patient, await made(client, "/v1/lesions", **values)


async def test_a_report_is_in_the_language_that_was_asked_for_or_is_preferred(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    for asked, accepted, given in (
        ("de", "en", "de"),
        ("en", "de", "en"),
        (None, "de-CH, en;q=0.5", "de"),
        (None, None, "en"),
        (None, "fr", "en"),
    ):
        answer = await alice(
            "GET",
            f"{where}/report.pdf",
            params={"language": asked} if asked else {},
            headers={"Accept-Language": accepted} if accepted else {},
        )
        assert gateway.reports.requests[-1].language == given
        assert answer.headers["Content-Language"] == given
        assert "Accept-Language" in answer.headers["Vary"]


async def test_operators_choose_the_language_for_those_who_ask_for_none(start: Start) -> None:
    async with start(report_language="de") as gateway:
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        assert (await printed(gateway, alice, where)).language == "de"


async def test_a_language_that_there_is_not_is_refused(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    answer = await alice("GET", f"{where}/report.pdf", params={"language": "fr"})

    assert answer.status_code == 422
    assert gateway.reports.requests == []


async def test_a_report_has_the_patient_as_they_are_known_by_now(either: Gateway) -> None:
    alice = await either.signed_in()
    patient, lesion = await with_lesion(alice)
    where = (await alice.analyze(lesion=lesion["id"])).headers["Location"]
    change = {"name": "Ann Renamed"}
    at = f"/v1/patients/{patient['id']}"
    await alice("PATCH", at, json=change, headers={"If-Match": '"1"'})

    report = await of_analysis(either, alice, where)

    shown = report.patient
    assert (shown.id, shown.name) == (ANN["identifier"], "Ann Renamed")
    assert (shown.birth_date, shown.sex) == (ANN["birth_date"], ANN["sex"])
    assert (report.lesion_id, report.body_site) == (lesion["id"], "lower extremity")


async def test_a_report_says_by_what_it_can_be_made_again(gateway: Gateway) -> None:
    gateway.inference.answer.method.preprocessing = "area resize"
    alice = await gateway.signed_in()
    sent = await alice.analyze()

    report = await of_analysis(gateway, alice, sent.headers["Location"])

    assert report.image_sha256 == sent.json()["image"]["sha256"]
    assert len(report.mask_sha256) == 64
    assert report.preprocessing == "area resize"
    (segmenter, classifier) = report.models
    assert (segmenter.execution_provider, segmenter.precision) == ("CPUExecutionProvider", "fp32")
    assert (classifier.execution_provider, classifier.precision) == ("OpenVINO", "int8")


async def test_a_report_shows_the_latest_analyses_of_the_lesion_before_it(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    _, lesion = await with_lesion(alice)
    large = specimens.lesion_jpeg((1200, 900))
    sent = [(await alice.analyze(large, lesion=lesion["id"])).json() for _ in range(5)]
    either.inference.answer = cannot_assess()
    last = await alice.analyze(lesion=lesion["id"])
    await alice.analyze()
    await alice("DELETE", f"/v1/analyses/{sent[3]['id']}")
    await alice.analyze(lesion=lesion["id"])

    report = await of_analysis(either, alice, last.headers["Location"])

    shown = [each.analysis_id for each in report.earlier]
    assert shown == [sent[number]["id"] for number in (0, 1, 2, 4)]
    first = report.earlier[0]
    assert first.created_at == sent[0]["created_at"][:19] + "Z"
    assert (first.prediction.label, first.prediction.suspicious) == ("nv", False)
    assert first.area_fraction == 0.0625
    assert max(opened(first.image).size) <= 480
    assert opened(first.mask_png).size == opened(first.image).size


async def test_an_earlier_analysis_that_was_not_assessed_says_why(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    _, lesion = await with_lesion(alice)
    answer, gateway.inference.answer = gateway.inference.answer, cannot_assess()
    await alice.analyze(lesion=lesion["id"])
    gateway.inference.answer = answer
    where = (await alice.analyze(lesion=lesion["id"])).headers["Location"]

    (earlier,) = (await of_analysis(gateway, alice, where)).earlier

    assert not earlier.HasField("prediction")
    assert not earlier.HasField("area_fraction")
    assert list(earlier.quality_reasons) == ["blurred"]


async def test_nobody_is_shown_earlier_analyses_that_they_may_not_see(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    await share(either, shared=True)
    _, lesion = await with_lesion(alice)
    theirs = (await bob.analyze(lesion=lesion["id"])).json()["id"]
    where = (await alice.analyze(lesion=lesion["id"])).headers["Location"]

    together = await of_analysis(either, alice, where)
    await share(either, shared=False)
    apart = await of_analysis(either, alice, where)

    assert [each.analysis_id for each in together.earlier] == [theirs]
    assert list(apart.earlier) == []


async def test_an_earlier_picture_that_is_gone_is_left_out(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    _, lesion = await with_lesion(alice)
    small = specimens.lesion_jpeg((96, 96))
    digest = (await alice.analyze(small, lesion=lesion["id"])).json()["image"]["sha256"]
    where = (await alice.analyze(lesion=lesion["id"])).headers["Location"]
    (kept,) = [path for path in gateway.kept_files() if path.name == digest]
    kept.unlink()

    (earlier,) = (await of_analysis(gateway, alice, where)).earlier

    assert (earlier.image, earlier.prediction.label) == (b"", "nv")


async def test_a_report_says_what_a_clinician_says(either: Gateway) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze()).headers["Location"]
    await said(alice, where, verdict="mel", reason="Blue veil.")

    given = (await of_analysis(either, alice, where)).assessment

    assert (given.clinician, given.agrees, given.reason) == ("alice", False, "Blue veil.")
    assert (given.label, given.label_name) == ("mel", "Melanoma")
    assert given.assessed_at.endswith("Z")


async def test_a_clinician_who_cannot_tell_agrees_that_nothing_can_be_said(
    gateway: Gateway,
) -> None:
    gateway.inference.answer = cannot_assess()
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    await said(alice, where, verdict="cannot_tell")

    given = (await of_analysis(gateway, alice, where)).assessment

    assert (given.agrees, given.label, given.label_name) == (True, "cannot_tell", "")


async def test_without_an_assessment_none_is_printed(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    assert not (await of_analysis(gateway, alice, where)).HasField("assessment")


async def test_a_summary_by_a_machine_is_printed_as_one(start: Start) -> None:
    async with (
        receiving(says(GOOD_IN_GERMAN)) as endpoint,
        start(**language_models.settings(endpoint, **PATIENT)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        asked = await printed(gateway, alice, where, params={"language": "de"})

    told = asked.analysis.narrative
    assert (told.text, told.written_by) == (GOOD_IN_GERMAN, MODEL)
    assert told.author == Narrative.AUTHOR_MACHINE


async def test_the_template_stands_in_for_a_machine_that_leaves_no_time(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A second of all that time, so that the pages have theirs on any machine.
    monkeypatch.setattr("services.gateway.reports.reporter._TELLING_SHARE", 1 / 60)
    async with (
        receiving(slow) as endpoint,
        start(**language_models.settings(endpoint, **PATIENT)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        told = (await of_analysis(gateway, alice, where)).narrative
        counted = generate_latest(gateway.parts.metrics.registry).decode()

    assert 'gateway_narratives_total{outcome="failed"} 1.0' in counted
    assert told.author == Narrative.AUTHOR_TEMPLATE
    assert "melanocytic nevus" in told.text
    assert told.written_by == ""


async def test_without_a_machine_no_summary_is_printed(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    assert not (await of_analysis(gateway, alice, where)).HasField("narrative")
