"""Analyses that are made later: taken in at once, made once, and never lost."""

import asyncio
from typing import Any

import grpc
import pytest
from sqlalchemy import select
from sqlmodel import col

from services.gateway import composition
from services.gateway.boot import open_records
from services.gateway.jobs.attempt import MAX_STRIKES
from services.gateway.jobs.backoff import Backoff
from services.gateway.records import Job
from services.gateway.routes.prefer import prefers
from tests import specimens
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start

LATER = {"Prefer": "respond-async"}


async def submitted(client: Client, **options: Any) -> str:
    """Send a picture to be analyzed later; returns where its analysis is."""
    headers = LATER | options.pop("headers", {})
    files = {"image": specimens.lesion_jpeg()}
    answer = await client("POST", "/v1/analyses", files=files, headers=headers, **options)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


async def until(client: Client, path: str, *statuses: str) -> dict[str, Any]:
    """Ask for an analysis until it is so far."""
    async with asyncio.timeout(60):
        while True:
            shown: dict[str, Any] = (await client("GET", path)).json()
            if shown["status"] in statuses:
                return shown
            await asyncio.sleep(0.03)


async def finished(client: Client, path: str) -> dict[str, Any]:
    return await until(client, path, "succeeded", "failed")


async def test_who_prefers_it_has_the_answer_later(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()

    answer = await alice(
        "POST",
        "/v1/analyses",
        files={"image": specimens.lesion_jpeg()},
        data={"note": "left arm"},
        headers={"Prefer": 'wait=5, Respond-Async; x="a,b"'},
    )
    path = answer.headers["Location"]
    at_work = await until(alice, path, "running")
    either.inference.may_answer.set()
    done = await finished(alice, path)

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert answer.json()["status"] == "queued"
    assert at_work["outcome"] is at_work["quality"] is at_work["problem"] is None
    assert (done["status"], done["outcome"], done["note"]) == ("succeeded", "assessed", "left arm")
    assert done["classification"]["label"] == "nv"
    assert done["created_at"] == answer.json()["created_at"]
    assert (await alice("GET", f"{path}/mask.png")).status_code == 200


async def test_a_picture_that_cannot_be_used_is_refused_at_once(gateway: Gateway) -> None:
    alice = await gateway.signed_in()

    answer = await alice("POST", "/v1/analyses", files={"image": b"GIF89a"}, headers=LATER)

    assert answer.status_code == 422
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert gateway.kept_files() == []


async def test_what_is_not_there_yet_says_so(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    path = await submitted(alice)

    for name in ("mask.png", "overlay.png", "explanation.png", "report.pdf"):
        early = await alice("GET", f"{path}/{name}")
        assert (early.status_code, early.headers["Retry-After"]) == (409, "1")
        assert early.json()["type"].endswith("#not-finished")
    assert (await alice("POST", f"{path}/replay")).status_code == 409
    assert (await alice("GET", f"{path}/image")).status_code == 200
    found = await alice("GET", "/v1/analyses", params={"status": "succeeded"})
    assert found.json()["items"] == []
    either.inference.may_answer.set()


async def test_inference_is_asked_under_the_id_of_the_request(gateway: Gateway) -> None:
    alice = await gateway.signed_in()

    await finished(alice, await submitted(alice, headers={"X-Request-Id": "ward-7"}))

    assert gateway.inference.metadata[-1]["x-request-id"] == "ward-7"


async def test_an_inference_that_has_too_much_to_do_is_asked_again(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.failure = (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full")
    either.inference.pushback_ms = 1

    path = await submitted(alice)
    await either.inference.arrived(MAX_STRIKES + 3)
    either.inference.failure = None

    assert (await finished(alice, path))["status"] == "succeeded"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait before another try."""
    monkeypatch.setattr(Backoff, "after", lambda *_: 0.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED])
async def test_a_picture_at_which_inference_fails_again_and_again_is_given_up(
    either: Gateway, code: grpc.StatusCode
) -> None:
    alice = await either.signed_in()
    either.inference.failure = (code, "secret details")

    path = await submitted(alice)
    failed = await finished(alice, path)

    assert len(either.inference.requests) == MAX_STRIKES
    assert failed["status"] == "failed"
    assert failed["problem"]["status"] in {502, 504}
    assert "secret" not in str(failed)
    assert failed["outcome"] is None
    report = await alice("GET", f"{path}/report.pdf")
    assert (report.status_code, (await alice("POST", f"{path}/replay")).status_code) == (404, 404)


async def test_what_inference_finds_wrong_with_a_picture_is_told(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.failure = (grpc.StatusCode.INVALID_ARGUMENT, "the picture is damaged")

    failed = await finished(alice, await submitted(alice))

    assert failed["problem"] == {
        "type": "/docs/problems#invalid-picture",
        "title": "The picture cannot be used",
        "status": 422,
        "detail": "The picture is damaged.",
    }
    assert len(either.inference.requests) == 1


async def test_the_line_is_bounded(start: Start, database_url: str) -> None:
    line = {"max_queued_pictures": 2, "max_batch_pictures": 1, "job_workers": 0}
    async with start(**line, database_url=database_url) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        for client in (alice, bob):
            await submitted(client)

        refused = await alice(
            "POST", "/v1/analyses", files={"image": specimens.lesion_jpeg()}, headers=LATER
        )

        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
        assert (await alice.analyze()).status_code == 201
        assert len((await alice("GET", "/v1/analyses")).json()["items"]) == 2


async def test_a_removed_analysis_is_not_made(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    path = await submitted(alice)
    await either.inference.arrived()

    await alice("DELETE", path)
    either.inference.may_answer.set()
    await finished(alice, await submitted(alice))
    # Whoever had the removed one in hand puts its files away before they let go of it.
    async with asyncio.timeout(60):
        while await strikes(either):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.03)

    assert (await alice("GET", path)).status_code == 404
    assert await either.purge() == 1
    # The other analysis's picture is the same one, and it has a mask and an explanation.
    assert len(either.kept_files()) == 3


async def test_nothing_is_analyzed_for_an_account_that_was_disabled(
    start: Start, database_url: str
) -> None:
    async with start(job_workers=0, database_url=database_url) as idle:
        alice, admin = await idle.signed_in(), await idle.admin()
        path = await submitted(alice)
        user = f"/v1/users/{(await alice('GET', '/v1/me')).json()['id']}"
        await admin("PATCH", user, json={"disabled": True}, headers={"If-Match": "*"})

    async with start(database_url=database_url) as working:
        async with asyncio.timeout(60):
            while 'outcome="failed"' not in (await figures(working)):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.03)
        await (await working.admin())(
            "PATCH", user, json={"disabled": False}, headers={"If-Match": "*"}
        )
        token = {"username": "alice", "password": PASSWORD}
        again = await working.anonymous("POST", "/v1/auth/token", data=token)
        alice = Client(working.http, again.json()["access_token"])

        problem = (await alice("GET", path)).json()["problem"]
        assert problem["status"] == 403
        assert problem["type"].endswith("#owner-disabled")
        assert working.inference.requests == []


async def figures(gateway: Gateway) -> str:
    lines = (await gateway.anonymous("GET", "/metrics")).text.splitlines()
    return "\n".join(line for line in lines if line.startswith("gateway_jobs"))


async def test_an_inference_that_is_down_for_long_costs_no_picture_its_analysis(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, inference_address="127.0.0.1:1") as cut_off:
        alice = await cut_off.signed_in()
        path = await submitted(alice)
        async with asyncio.timeout(60):
            while len(await strikes(cut_off)) != 1:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.03)
        assert await strikes(cut_off) == [0]
        assert (await alice("GET", path)).json()["status"] == "queued"

    async with start(database_url=database_url) as working:
        alice = Client(working.http, alice.token)
        assert (await finished(alice, path))["status"] == "succeeded"


async def strikes(gateway: Gateway) -> list[int]:
    """What counts against each picture in the line."""
    async with open_records(gateway.settings) as records:
        return await records.read(lambda session: list(session.scalars(select(col(Job.strikes)))))


async def test_what_is_in_hand_when_a_gateway_stops_is_taken_up_by_the_next(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_JOBS_DRAIN_S", 0.01)
    async with start(database_url=database_url) as leaving:
        alice = await leaving.signed_in()
        leaving.inference.may_answer.clear()
        path = await submitted(alice)
        await leaving.inference.arrived()

    async with start(database_url=database_url) as next_one:
        done = await finished(Client(next_one.http, alice.token), path)

    assert done["status"] == "succeeded"


async def test_a_key_stands_for_one_analysis_however_the_answer_is_preferred(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    key = {"Idempotency-Key": "again"}

    path = await submitted(alice, headers=key)
    same = await submitted(alice, headers=key)
    either.inference.may_answer.set()
    await finished(alice, path)
    form = {"files": {"image": specimens.lesion_jpeg()}}
    later = await alice("POST", "/v1/analyses", headers=LATER | key, **form)
    other = await alice("POST", "/v1/analyses", headers=LATER | key, data={"note": "x"}, **form)

    assert (path, later.status_code) == (same, 201)
    assert later.headers["Location"] == path
    assert other.status_code == 422
    assert len((await alice("GET", "/v1/analyses")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["respond-async"], True),
        (["wait=10, RESPOND-ASYNC"], True),
        (["wait=10", "respond-async; x=1"], True),
        (['foo="a, respond-async"'], False),
        (["respond-async=1"], False),
        (['foo="'], False),
        ([], False),
    ],
)
def test_preferences_are_read_as_the_standard_has_them(headers: list[str], expected: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert prefers(headers, "respond-async") is expected
