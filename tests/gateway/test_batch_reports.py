"""Reports of batches: what they show, when they come, and what is kept of who asked for them."""

import grpc
import pytest
from sqlalchemy import select

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.records import ReportRequest
from services.pb.reports_pb2 import BatchReport, RenderRequest
from services.reports import fonts
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import opened
from tests.gateway.test_batches import PICTURES, analyses, finished, sent
from tests.gateway.test_reports import printed, with_lesion
from tests.reports.reading import text

pytestmark = pytest.mark.usefixtures("figures_are_waited_for")


def page_of(request: RenderRequest) -> str:
    """Return what the real report service prints of a message."""
    fonts.register()
    return text(request)


async def of_batch(gateway: Gateway, client: Client, path: str) -> BatchReport:
    return (await printed(gateway, client, path)).batch


async def test_the_report_of_a_batch_shows_every_picture_and_why_some_failed(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    answer = await sent(alice, PICTURES[0], b"no picture", PICTURES[2], body_site="arm")
    path = answer.headers["Location"]
    await finished(alice, path)

    report = await of_batch(either, alice, path)

    known = await analyses(alice, path)
    assert report.batch_id == answer.json()["id"]
    assert [row.name for row in report.rows] == ["0.jpg", "1.jpg", "2.jpg"]
    assert {row.body_site for row in report.rows} == {"arm"}
    assert [row.WhichOneof("outcome") for row in report.rows] == ["analysis", "failure", "analysis"]
    assert report.rows[1].failure == known["1.jpg"]["problem"]["detail"]
    first = report.rows[0].analysis
    assert first.analysis_id == known["0.jpg"]["id"]
    assert first.prediction.label == "nv"
    assert opened(first.image).size == opened(PICTURES[0]).size
    assert [model.name for model in report.models] == ["segmenter", "classifier"]


async def test_a_picture_that_waits_is_said_to_wait(gateway: Gateway) -> None:
    gateway.inference.may_answer.clear()
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES)).headers["Location"]

    for language, said in (("en", "Not analyzed yet."), ("de", "Noch nicht ausgewertet.")):
        report = (await printed(gateway, alice, path, params={"language": language})).batch
        assert [row.failure for row in report.rows] == [said] * 3
        assert report.notice
    # What runs is waited for when the gateway stops.
    gateway.inference.may_answer.set()


async def test_rows_of_a_batch_have_their_patients_as_they_are_known_by_now(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    patient, _ = await with_lesion(alice)
    attached = (await sent(alice, PICTURES[0], patient=patient["id"])).headers["Location"]
    typed = (await sent(alice, PICTURES[1], patient_id="as sent")).headers["Location"]
    for path in (attached, typed):
        await finished(alice, path)
    changed = await alice(
        "PATCH",
        f"/v1/patients/{patient['id']}",
        json={"identifier": "known-by-now"},
        headers={"If-Match": '"1"'},
    )
    assert changed.status_code == 200, changed.text

    rows = [row for path in (attached, typed) for row in (await of_batch(either, alice, path)).rows]

    assert [row.patient_id for row in rows] == ["known-by-now", "as sent"]


async def test_a_batch_of_which_all_was_removed_has_no_report(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, PICTURES[0])).headers["Location"]
    await finished(alice, path)
    for each in (await analyses(alice, path)).values():
        await alice("DELETE", f"/v1/analyses/{each['id']}")

    assert (await alice("GET", f"{path}/report.pdf")).status_code == 409


async def test_a_batch_of_others_has_no_report(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    path = (await sent(alice, PICTURES[0])).headers["Location"]

    assert (await bob("GET", f"{path}/report.pdf")).status_code == 404
    assert (await bob("GET", f"{path}/reports")).status_code == 404


async def test_a_german_report_of_a_batch_says_in_german_why_pictures_failed(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    path = (await sent(alice, PICTURES[0], b"no picture", PICTURES[2])).headers["Location"]
    await finished(alice, path)
    problem = (await analyses(alice, path))["1.jpg"]["problem"]

    request = await printed(either, alice, path, params={"language": "de"})

    page = page_of(request)
    assert "Die Datei ist als Bild nicht verwendbar" in page
    assert problem["detail"] not in page
    assert problem["detail"] in page_of(await printed(either, alice, path))


async def test_a_report_of_a_batch_has_a_deadline_of_its_own(start: Start) -> None:
    async with start(report_timeout_s=600, batch_report_timeout_s=100) as gateway:
        alice = await gateway.signed_in()
        path = (await sent(alice, PICTURES[0])).headers["Location"]
        await finished(alice, path)

        given = await alice("GET", f"{path}/report.pdf")
        (left,) = gateway.reports.remaining_s
    async with start(report_timeout_s=600, batch_report_timeout_s=0.5) as gateway:
        alice.http = gateway.http
        gateway.reports.may_answer.clear()

        late = await alice("GET", f"{path}/report.pdf")

    assert (given.status_code, late.status_code) == (200, 504)
    assert left is not None
    assert left <= 100


async def test_requests_of_lesions_and_batches_are_recorded_and_purged_with_them(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    _, lesion = await with_lesion(alice)
    await alice.analyze(lesion=lesion["id"])
    batch = (await sent(alice, PICTURES[0])).headers["Location"]
    await finished(alice, batch)
    either.reports.failure = (grpc.StatusCode.INTERNAL, "secret")
    await alice("GET", f"{batch}/report.pdf")
    either.reports.failure = None
    where = f"/v1/lesions/{lesion['id']}"
    for path in (where, batch):
        await alice("GET", f"{path}/report.pdf")

    asked = [(await alice("GET", f"{path}/reports")).json()["items"] for path in (where, batch)]
    for path in (where, batch):
        await alice("DELETE", path, headers={"If-Match": "*"})
    await either.purge()

    assert [[each["outcome"] for each in some] for some in asked] == [
        ["given"],
        ["given", "refused"],
    ]
    assert len({each["sha256"] for some in asked for each in some}) == 2
    async with open_records(either.settings) as records:
        rows = select(ReportRequest)
        assert await records.read(lambda session: session.scalar(rows), EVERYTHING) is None
