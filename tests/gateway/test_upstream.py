"""Inference or reports in trouble: an honest status within a bounded time, and nothing kept."""

import asyncio
import threading
from pathlib import Path

import grpc
import httpx
import pytest
from sqlalchemy import delete
from sqlmodel import col

from services.gateway.records import User
from services.pb import inference_pb2 as pb
from tests import specimens
from tests.gateway.clocks import quickest
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.counterparts import LISTED, ScriptedInference, serving
from tests.gateway.leaks import WATCH
from tests.gateway.processes import running

Code = grpc.StatusCode
NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("code", "details", "status"),
    [
        (Code.INVALID_ARGUMENT, "the picture is animated: send one still picture", 422),
        (Code.RESOURCE_EXHAUSTED, "the queue is full", 503),
        (Code.UNAVAILABLE, "draining", 503),
        (Code.CANCELLED, "drained before it was begun", 503),
        (Code.DEADLINE_EXCEEDED, "too late", 504),
        (Code.INTERNAL, "secret stack trace", 502),
        (Code.UNKNOWN, "secret", 502),
        (Code.UNIMPLEMENTED, "secret", 502),
    ],
)
async def test_every_status_of_inference_becomes_one_of_ours_and_nothing_is_kept(
    gateway: Gateway, code: grpc.StatusCode, details: str, status: int
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.failure = (code, details)

    answer = await alice.analyze()

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert gateway.kept_files() == []


@pytest.mark.parametrize(("reason", "status"), [("too_large", 413), ("unusable_picture", 422)])
async def test_a_picture_is_too_large_where_inference_says_so_in_a_word_for_machines(
    gateway: Gateway, reason: str, status: int
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.failure = (Code.INVALID_ARGUMENT, "this is beyond us")
    gateway.inference.reason = reason
    assert (await alice.analyze()).status_code == status


async def test_what_is_wrong_with_a_picture_is_said_in_the_words_of_inference(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.failure = (Code.INVALID_ARGUMENT, "it has two heads: send one")

    answer = await alice.analyze()

    assert answer.json()["detail"] == "It has two heads: send one."
    assert answer.json()["title"] == "The picture cannot be used"


async def test_the_wait_that_inference_asks_for_is_handed_on_in_whole_seconds(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.failure = (Code.RESOURCE_EXHAUSTED, "the queue is full")
    gateway.inference.pushback_ms = 2300

    answer = await alice.analyze()

    assert answer.headers["Retry-After"] == "3"


async def test_without_inference_the_answer_is_503_at_once(start: Start) -> None:
    async with start(inference_address=NOWHERE, analysis_timeout_s=600) as gateway:
        alice = await gateway.signed_in()

        answers: list[httpx.Response] = []

        async def refused() -> None:
            answers.append(await alice.analyze())

        # It is tried three times, a fraction of a second apart.
        assert await quickest(refused, 3) < 3

        for answer in answers:
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) >= 1
        assert gateway.kept_files() == []
        assert (await alice("GET", "/v1/models")).status_code == 503


async def test_inference_is_told_how_much_is_left_of_the_time(start: Start) -> None:
    async with start(analysis_timeout_s=30) as gateway:
        alice = await gateway.signed_in()
        assert (await alice.analyze()).status_code == 201
        (left,) = gateway.inference.remaining_s
        assert left is not None
        assert 0 < left <= 30


async def test_inference_that_does_not_answer_is_waited_for_until_the_deadline(
    start: Start,
) -> None:
    async with start(analysis_timeout_s=0.5) as gateway:
        alice = await gateway.signed_in()
        gateway.inference.may_answer.clear()

        answer = await alice.analyze()

        assert answer.status_code == 504
        assert gateway.kept_files() == []


async def test_a_picture_that_waits_for_a_thread_is_waited_for_until_the_deadline(
    start: Start,
) -> None:
    go_on = threading.Event()
    async with start(analysis_timeout_s=0.5, max_drawings=1) as gateway:
        alice = await gateway.signed_in()
        busy = asyncio.create_task(gateway.parts.analyzer._threads.run(go_on.wait, 120))

        answer = await alice.analyze()

        go_on.set()
        assert await busy
    assert answer.status_code == 504
    assert gateway.inference.requests == []


async def test_a_caller_who_leaves_over_a_real_socket_leaves_nothing_behind(
    tmp_path: Path,
) -> None:
    inference = ScriptedInference()
    inference.may_answer.clear()
    async with (
        serving(inference) as address,
        running(
            tmp_path,
            DERMSERVE_GATEWAY_INFERENCE_ADDRESS=address,
            DERMSERVE_GATEWAY_ANALYSIS_TIMEOUT_S="600",
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=60) as http,
    ):
        account = {"username": "alice", "password": PASSWORD}
        pair = (await http.post("/v1/auth/register", json=account)).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        picture = {"image": specimens.lesion_jpeg()}
        leaving = asyncio.create_task(http.post("/v1/analyses", files=picture, headers=bearer))
        await inference.arrived()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving

        await asyncio.wait_for(inference.left.wait(), 60)
        inference.may_answer.set()
        listed = await http.get("/v1/analyses", headers=bearer)

    assert listed.json()["items"] == []
    assert [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()] == []
    assert '"status": 499' in "".join(gateway.written)


async def test_an_analysis_that_is_cancelled_leaves_nothing_behind(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    gateway.inference.may_answer.clear()
    leaving = asyncio.create_task(alice.analyze())
    await gateway.inference.arrived()

    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    assert gateway.kept_files() == []
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []


async def test_a_record_that_cannot_be_written_leaves_no_pictures(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    bob = await gateway.signed_in("bob")
    gateway.inference.may_answer.clear()
    analyzing = asyncio.create_task(alice.analyze(patient_name="Jane Doe"))
    await gateway.inference.arrived()
    # Her account is removed behind the gateway's back while inference works.
    removal = delete(User).where(col(User.username) == "alice")
    await gateway.parts.access._database.write(lambda session: session.execute(removal))

    with WATCH.captured() as lines:
        gateway.inference.may_answer.set()
        answer = await analyzing

    logged = [repr(line.get("exc_info")) + str(line.get("exc_info")) for line in lines]
    assert "FOREIGN KEY" in str(logged)
    assert "Jane Doe" not in str(logged)
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Something went wrong.")
    assert gateway.kept_files() == []
    assert (await bob.analyze()).status_code == 201


async def test_the_models_that_answer_are_listed_with_their_evaluation(gateway: Gateway) -> None:
    alice = await gateway.signed_in()

    answer = await alice("GET", "/v1/models")

    assert answer.json() == {
        "items": [
            {
                "name": "classifier",
                "version": "5",
                "version_label": "stable",
                "traffic_share": 1.0,
                "sha256": "b" * 64,
                "labels": ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"],
                "execution_provider": "CPUExecutionProvider",
                "evaluation": {
                    "evaluated_on": "test",
                    "metrics": {"balanced_accuracy": 0.75},
                    "intervals": {"balanced_accuracy": {"low": 0.5, "high": 0.875}},
                },
            }
        ],
        "next_cursor": None,
    }
    assert (await gateway.anonymous("GET", "/v1/models")).status_code == 401


async def test_an_inference_service_that_knows_no_intervals_has_its_figures_listed(
    gateway: Gateway,
) -> None:
    before = pb.ModelInfo()
    before.CopyFrom(LISTED[0])
    before.ClearField("intervals")
    gateway.inference.listed = [before]
    alice = await gateway.signed_in()

    (model,) = (await alice("GET", "/v1/models")).json()["items"]

    assert model["evaluation"]["metrics"] == {"balanced_accuracy": 0.75}
    assert model["evaluation"]["intervals"] == {}
