"""The client against a real gateway, over a real socket."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from dermserve_client import Client, Password, ProblemError, UnreachableError
from tests import specimens, stack
from tests.client import proxy
from tests.client.conftest import ADMIN
from tests.gateway.processes import Running
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "lesion.jpg"
    path.write_bytes(specimens.lesion_jpeg())
    return path


async def test_a_picture_becomes_an_analysis_of_a_lesion_with_its_files(
    gateway: Running, picture: Path
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            analyze_and_look(client, picture)

    await asyncio.to_thread(work)


def analyze_and_look(client: Client, picture: Path) -> None:
    """Have a picture of a lesion analyzed, see all that comes of it, and remove it."""
    patient = client.patients.create("4711", name="Example")
    lesion = client.lesions.create(patient.id, body_site="head/neck")
    analysis = client.analyses.create(picture, lesion=lesion.id, note="a note")
    assert (analysis.patient, analysis.lesion) == (patient.id, lesion.id)
    assert analysis.classification is not None
    assert client.analyses.wait(analysis.id) == analysis
    assert client.analyses.file(analysis.id, "mask.png").startswith(b"\x89PNG")
    pdf = client.analyses.file(analysis.id, "report.pdf")
    (asked,) = client.analyses.reports(analysis.id)
    assert (asked.outcome, asked.sha256) == ("given", hashlib.sha256(pdf).hexdigest())
    assert client.analyses.replay(analysis.id).analysis_id == analysis.id
    told = client.analyses.narrative(analysis.id, "de")
    assert (told.language, told.source, told.why_template) == ("de", "template", "off")
    assert told.text
    assert list(client.analyses.list(lesion=lesion.id)) == [analysis]
    client.analyses.remove(analysis.id)
    assert list(client.analyses.list(patient=patient.id)) == []
    later = client.analyses.create(picture, later=True)
    assert client.analyses.wait(later.id, timeout_s=240).status == "succeeded"


async def test_two_pictures_of_a_lesion_are_compared_and_its_time_is_told(
    gateway: Running, picture: Path
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            patient = client.patients.create("4714")
            lesion = client.lesions.create(patient.id)
            first, second = [client.analyses.create(picture, lesion=lesion.id) for _ in range(2)]
            found = client.analyses.compare(first.id, second.id)
            assert (found.first, found.second, found.same_lesion) == (first.id, second.id, True)
            assert found.malignant_probability.difference == 0
            assert [moment.analysis for moment in client.lesions.timeline(lesion.id)] == [
                first.id,
                second.id,
            ]

    await asyncio.to_thread(work)


async def test_what_was_analyzed_is_counted(gateway: Running, picture: Path) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            before = client.statistics().whole.analyses
            client.analyses.create(picture)
            found = client.statistics(interval="week")
            assert found.whole.analyses == before + 1
            assert sum(each.analyses for each in found.periods) == found.whole.analyses
            days = {"since": found.since, "until": found.until}
            table = client.statistics_table("labels", interval="week", **days)
            assert table.splitlines()[0] == "since,until,akiec,bcc,bkl,df,mel,nv,vasc"
            assert len(table.splitlines()) == 1 + len(found.periods)

    await asyncio.to_thread(work)


async def test_analyses_lesions_and_batches_have_reports_in_a_language(
    gateway: Running, picture: Path
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            patient = client.patients.create("4713")
            lesion = client.lesions.create(patient.id)
            analysis = client.analyses.create(picture, lesion=lesion.id)
            *_, batch = client.batches.watch(client.batches.create({"a.jpg": picture}).id)
            assert client.analyses.report(analysis.id).startswith(b"%PDF")
            for part, made in ((client.lesions, lesion.id), (client.batches, batch.id)):
                pdf = part.report(made, "de")
                (asked,) = part.reports(made)
                assert asked.sha256 == hashlib.sha256(pdf).hexdigest()
            with pytest.raises(ProblemError):
                client.analyses.report(analysis.id, "fr")  # type: ignore[arg-type]

    await asyncio.to_thread(work)


async def test_a_change_of_what_somebody_else_changed_is_refused(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            seen = client.patients.create("4712")
            changed = client.patients.change(seen, name="Example")
            assert (changed.name, changed.identifier) == ("Example", "4712")
            with pytest.raises(ProblemError) as refused:
                client.patients.remove(seen)
            assert (refused.value.status, refused.value.type) == (412, "changed-meanwhile")
            (listed,) = client.patients.list(identifier="4712")
            with pytest.raises(ValueError, match="get the record first"):
                client.patients.remove(listed)
            client.patients.remove(client.patients.get(listed.id))

    await asyncio.to_thread(work)


async def test_a_clinician_says_what_they_think_and_changes_what_they_saw(
    gateway: Running, picture: Path
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            analysis = client.analyses.create(picture)
            first = client.analyses.assess(analysis.id, "nv")
            second = client.analyses.assess(analysis.id, "mel", "It bleeds.", seen=first)
            assert (first.agrees, second.agrees, second.username) == (True, False, ADMIN[0])
            assert client.analyses.get(analysis.id).assessment == client.analyses.assessment(
                analysis.id
            ).model_copy(update={"etag": None})
            with pytest.raises(ProblemError) as refused:
                client.analyses.withdraw_assessment(analysis.id, first)
            assert refused.value.type == "changed-meanwhile"
            client.analyses.withdraw_assessment(analysis.id, second)
            steps = client.analyses.assessments(analysis.id)
            assert [step.verdict for step in steps] == [None, "mel", "nv"]

    await asyncio.to_thread(work)


async def test_patients_are_searched_by_name_from_page_to_page_though_an_answer_is_lost(
    gateway: Running,
) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            made = [client.patients.create(f"m{n}", name=f"Anna Müller {n}").id for n in range(51)]
            between.loses = 1
            assert [each.id for each in client.patients.search("mull ann")] == made[::-1]
            assert list(client.patients.search("mull bob")) == []
            with pytest.raises(ProblemError, match="at least 2 characters"):
                list(client.patients.search("m"))

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_a_list_goes_on_from_page_to_page(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            made = [client.patients.create(str(number), issuer="pages").id for number in range(51)]
            assert [each.id for each in client.patients.list(issuer="pages")] == made[::-1]

    await asyncio.to_thread(work)


async def test_a_refusal_is_an_error_with_the_gateways_own_words(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url) as stranger, pytest.raises(ProblemError) as refused:
            stranger.me()
        assert (refused.value.status, refused.value.type) == (401, "unauthenticated")
        assert refused.value.request_id
        wrong = Password("admin", "a wrong password")
        with Client(gateway.url, wrong) as client, pytest.raises(ProblemError) as refused:
            client.me()
        assert refused.value.status == 401
        with (
            Client(gateway.url, Password(*ADMIN)) as client,
            pytest.raises(ProblemError) as refused,
        ):
            client.users.create("", "short")
        assert {fault["field"] for fault in refused.value.faults} == {
            "body.username",
            "body.password",
        }

    await asyncio.to_thread(work)


async def test_an_administrator_sees_how_the_gateway_is(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as admin:
            state = stack.once_well(admin.system, lambda seen: seen.checks["database"] == "ok")
            assert state.database == "sqlite"
            assert state.line.queued >= 0  # others' tests may have pictures in it

    await asyncio.to_thread(work)


async def test_nobody_there_is_an_error_of_its_own() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    with Client(address, tries=1) as client, pytest.raises(UnreachableError, match=address):
        client.ready()
