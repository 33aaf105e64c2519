"""That an analysis was made is recorded in the transaction that records the analysis."""

import asyncio
import hashlib

import httpx
import pytest
from sqlalchemy import text

from services.gateway.boot import open_records
from services.gateway.records import DEFAULT_ORGANISATION, Removal
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.store import Stage, folder
from tests.gateway.audited import Row, findings, rows, verified
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import assessed
from tests.gateway.sockets import serving_http
from tests.gateway.test_interrupted_requests import Stopping
from tests.gateway.test_once import analysis
from tests.gateway.test_patients import listed


async def of_uploads(gateway: Gateway) -> list[Row]:
    return await rows(gateway, action="analyses.create")


def ends(found: list[Row]) -> list[tuple[str, int | None]]:
    return [(row["outcome"], row["status"]) for row in found]


async def test_an_analysis_is_kept_with_its_row_or_not_at_all(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    sending = asyncio.create_task(alice.analyze())
    await either.inference.arrived()

    async with open_records(either.settings) as records:
        rename = text("ALTER TABLE audit RENAME TO elsewhere")
        await records.write(lambda session: session.execute(rename))
        either.inference.may_answer.set()
        answer = await sending
        back = text("ALTER TABLE elsewhere RENAME TO audit")
        await records.write(lambda session: session.execute(back))

    assert answer.status_code == 503
    assert await listed(alice, "/v1/analyses") == []
    assert either.kept_files() == []
    assert ends(await of_uploads(either)) == [("begun", None)]
    assert await findings(either) == []


async def test_an_upload_leaves_one_row_when_it_begins_and_one_when_it_is_done(
    either: Gateway,
) -> None:
    alice = await either.signed_in()

    made = (await alice.analyze()).json()["id"]

    begun, done = await of_uploads(either)
    assert ends([begun, done]) == [("begun", None), ("done", 201)]
    assert (begun["subject_ids"], done["subject_ids"]) == (None, made)
    same = {"organisation_id", "user_id", "sign_in_id", "address", "request_id", "operation"}
    assert {begun[name] == done[name] for name in same} == {True}
    assert await findings(either) == []


async def test_an_upload_that_comes_again_leaves_rows_again(either: Gateway) -> None:
    alice = await either.signed_in()

    made = [(await analysis(alice)).json()["id"] for _ in range(2)]

    found = await of_uploads(either)
    assert ends(found) == [("begun", None), ("done", 201)] * 2
    assert [row["subject_ids"] for row in found] == [None, made[0], None, made[1]]


async def test_an_answer_that_turns_out_otherwise_has_a_row_too(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    with monkeypatch.context() as patched:
        patched.setattr(AnalysisView, "of", None)
        answer = await alice.analyze()

    found = await of_uploads(either)
    assert answer.status_code == 500
    assert ends(found) == [("begun", None), ("done", 201), ("failed", 500)]
    assert {row["subject_ids"] for row in found[1:]} == set(await listed(alice, "/v1/analyses"))


async def test_that_its_caller_left_after_it_was_made_has_a_row_too(either: Gateway) -> None:
    alice = await either.signed_in()
    before_its_answer = Stopping(either.parts.once._database, "_change", "before")
    either.parts.once._database = before_its_answer
    async with (
        serving_http(either.app, either.settings) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        leaving = asyncio.create_task(analysis(Client(http, alice.token)))
        await asyncio.wait_for(before_its_answer.stopped.wait(), 60)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
    # The server has ended, and whatever it was asked for with it.

    found = await of_uploads(either)
    assert ends(found) == [("begun", None), ("done", 201), ("left", 499)]
    assert {row["subject_ids"] for row in found[1:]} == {*await listed(alice, "/v1/analyses")}
    assert len({row["request_id"] for row in found}) == 1
    assert await findings(either) == []


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[Stage]:
    """The stages that are published, each once a try."""
    seen: list[Stage] = []
    publish = folder._FolderStage.publish

    async def watched(stage: folder._FolderStage) -> None:
        seen.append(stage)
        await publish(stage)

    monkeypatch.setattr(folder._FolderStage, "publish", watched)
    return seen


async def test_a_record_that_is_written_at_the_second_try_has_one_row(
    either: Gateway, published: list[Stage]
) -> None:
    alice = await either.signed_in()
    name = hashlib.sha256(assessed().segmentation.mask_png).hexdigest()
    async with open_records(either.settings) as records:
        mark = Removal(organisation_id=DEFAULT_ORGANISATION, name=name, token="gone", done=True)
        await records.write(lambda session: session.add(mark))

    answer = await alice.analyze()

    assert answer.status_code == 201
    first, second = published
    assert first is second
    assert ends(await of_uploads(either)) == [("begun", None), ("done", 201)]
    assert await findings(either) == []


async def test_replicas_that_make_and_look_at_once_write_one_chain(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url) as one, start(database_url=database_url) as two:
        alice, bob = await one.signed_in(), await two.signed_in("bob")

        async def asked(client: Client) -> set[int]:
            looking = (client("GET", "/v1/analyses") for _ in range(8))
            answers = await asyncio.gather(*(client.analyze() for _ in range(8)), *looking)
            return {answer.status_code for answer in answers}

        hers, his = await asyncio.gather(asked(alice), asked(bob))

        (chain,) = await verified(one)
        found = await of_uploads(one)

    assert hers == his == {200, 201}
    assert (chain.findings, chain.sequence) == ([], chain.rows)
    assert sorted(ends(found)) == sorted([("begun", None), ("done", 201)] * 16, key=str)
