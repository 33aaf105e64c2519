"""Reports of lesions and batches: what they show, and what becomes of what cannot be shown."""

import asyncio
import errno
from pathlib import Path

import grpc
import pytest
from sqlalchemy import select

from services.gateway import errors
from services.gateway.boot import open_records, picture_store
from services.gateway.clients import BatchContents, Letterhead, report_messages
from services.gateway.database import EVERYTHING
from services.gateway.records import Analysis, Batch, ReportRequest
from services.gateway.reports import Thumbnails
from services.gateway.store import folder
from services.gateway.threads import Threads
from services.pb.reports_pb2 import AnalysisSummary, BatchReport, LesionReport, RenderRequest
from services.reports import fonts
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import cannot_assess, opened
from tests.gateway.test_batches import PICTURES, analyses, finished, sent
from tests.gateway.test_evaluations import EVALUATED
from tests.gateway.test_patients import ANN, share
from tests.gateway.test_reports import printed, with_lesion
from tests.reports.reading import text

pytestmark = pytest.mark.usefixtures("figures_are_waited_for")


def page_of(request: RenderRequest) -> str:
    """Return what the real report service prints of a message."""
    fonts.register()
    return text(request)


async def of_lesion(gateway: Gateway, client: Client, path: str) -> LesionReport:
    return (await printed(gateway, client, path)).lesion


async def of_batch(gateway: Gateway, client: Client, path: str) -> BatchReport:
    return (await printed(gateway, client, path)).batch


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


async def test_large_pictures_of_a_batch_are_printed_small(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, specimens.lesion_jpeg((1600, 1200)))).headers["Location"]
    await finished(alice, path)

    (row,) = (await of_batch(gateway, alice, path)).rows

    assert opened(row.analysis.image).size == (160, 120)
    assert row.analysis.mask_png == b""


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


async def test_what_somebody_typed_with_a_picture_renames_no_lesion(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    _, lesion = await with_lesion(alice)
    await alice.analyze(lesion=lesion["id"], lesion_id="another lesion")

    report = await of_lesion(gateway, alice, f"/v1/lesions/{lesion['id']}")

    assert report.lesion_id == lesion["id"]


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


async def test_what_there_is_no_time_for_goes_without_thumbnails(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES)).headers["Location"]
    done = await finished(alice, path)
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )

    late = Thumbnails(picture_store(gateway.settings), Threads(1))
    shown = await late.of(rows, 160, 0, outlined=False)

    assert done["succeeded"] == 3
    assert [each.pictures.image for each in shown] == [b""] * 3
    assert {each.no_picture for each in shown} == {"out_of_time"}


async def test_the_page_of_a_batch_says_which_pictures_there_was_no_time_for(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES)).headers["Location"]
    await finished(alice, path)
    async with open_records(gateway.settings) as records:
        batch = await records.read(lambda session: session.scalars(select(Batch)).one(), EVERYTHING)
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    late = Thumbnails(picture_store(gateway.settings), Threads(1))
    shown = await late.of(rows, 160, 0, outlined=False)

    message = report_messages.of_batch(BatchContents(batch, shown, {}, {}), Letterhead(), "de")

    assert "die Zeit für diesen Bericht vorher ablief: Nr. 1\N{EN DASH}3." in page_of(
        RenderRequest(batch=message, language="de")
    )


async def test_a_picture_that_is_gone_is_said_to_be_gone(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES[:2])).headers["Location"]
    await finished(alice, path)
    digest = (await analyses(alice, path))["1.jpg"]["image"]["sha256"]
    (kept,) = [path for path in gateway.kept_files() if path.name == digest]
    kept.unlink()

    rows = (await of_batch(gateway, alice, path)).rows

    assert [row.analysis.no_picture for row in rows] == [
        AnalysisSummary.NO_PICTURE_UNSPECIFIED,
        AnalysisSummary.NO_PICTURE_LOST,
    ]


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


async def test_a_picture_that_does_not_come_takes_no_more_than_the_time_for_thumbnails(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    await alice.analyze()
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    store = picture_store(gateway.settings)

    async def never(*_: str) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(store, "get", never)
    async with asyncio.timeout(60):
        (shown,) = await Thumbnails(store, Threads(1)).of(rows, 160, 0.05, outlined=False)

    assert shown.pictures.image == b""


async def test_a_store_that_runs_out_of_its_own_time_is_not_taken_for_too_little_time(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    await alice.analyze()
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    store = picture_store(gateway.settings)

    def stuck(_: Path) -> bytes:
        # As a network file system has it.
        raise OSError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(folder, "_read", stuck)
    with pytest.raises(errors.UnavailableError):
        await Thumbnails(store, Threads(1)).of(rows, 160, 60, outlined=False)


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
