"""Reports of lesions: their analyses side by side, for whoever may see them."""

import pytest

from services.pb.reports_pb2 import LesionReport
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import cannot_assess
from tests.gateway.test_evaluations import EVALUATED
from tests.gateway.test_patients import ANN, share
from tests.gateway.test_reports import printed, with_lesion

pytestmark = pytest.mark.usefixtures("figures_are_waited_for")


async def of_lesion(gateway: Gateway, client: Client, path: str) -> LesionReport:
    return (await printed(gateway, client, path)).lesion


async def test_the_report_of_a_lesion_shows_its_analyses_oldest_first(either: Gateway) -> None:
    either.inference.listed = EVALUATED
    alice = await either.signed_in()
    patient, lesion = await with_lesion(alice)
    made = [(await alice.analyze(lesion=lesion["id"])).json()["id"] for _ in range(2)]
    either.inference.answer = cannot_assess()
    made.append((await alice.analyze(lesion=lesion["id"])).json()["id"])
    await alice.analyze(patient=patient["id"])

    report = await of_lesion(either, alice, f"/v1/lesions/{lesion['id']}")

    assert report.lesion_id == lesion["id"]
    assert report.patient.name == ANN["name"]
    assert report.body_site == "lower extremity"
    assert [each.analysis_id for each in report.analyses] == made
    assert [each.HasField("prediction") for each in report.analyses] == [True, True, False]
    assert all(each.image for each in report.analyses)
    assert [(model.name, model.evaluated_on) for model in report.models] == [
        ("segmenter", ""),
        ("classifier", "fold 4"),
    ]
    assert report.notice


async def test_a_lesion_without_an_answer_has_no_report(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    _, lesion = await with_lesion(alice)

    refused = await alice("GET", f"/v1/lesions/{lesion['id']}/report.pdf")

    assert refused.status_code == 409
    assert gateway.reports.requests == []


async def test_nobody_is_shown_analyses_of_a_lesion_that_they_may_not_see(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    await share(either, shared=True)
    _, lesion = await with_lesion(alice)
    theirs = (await bob.analyze(lesion=lesion["id"])).json()["id"]
    own = (await alice.analyze(lesion=lesion["id"])).json()["id"]
    where = f"/v1/lesions/{lesion['id']}"

    together = await of_lesion(either, alice, where)
    await share(either, shared=False)
    apart = await of_lesion(either, alice, where)

    assert [each.analysis_id for each in together.analyses] == [theirs, own]
    assert [each.analysis_id for each in apart.analyses] == [own]
    assert (await bob("GET", f"{where}/report.pdf")).status_code == 404


async def test_what_somebody_typed_with_a_picture_renames_no_lesion(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    _, lesion = await with_lesion(alice)
    await alice.analyze(lesion=lesion["id"], lesion_id="another lesion")

    report = await of_lesion(gateway, alice, f"/v1/lesions/{lesion['id']}")

    assert report.lesion_id == lesion["id"]
