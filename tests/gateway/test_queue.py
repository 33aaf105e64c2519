"""The line: who leaves it, when, and what is counted."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from services.gateway.boot import open_records
from services.gateway.database import build_indexes
from services.gateway.jobs import Queue, queue
from services.gateway.records import Job, new_holder, now
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_batches import PICTURES, sent
from tests.gateway.test_database import connected
from tests.gateway.test_jobs import figures, finished, submitted


async def waiting(gateway: Gateway) -> int:
    """How many stand in the line."""
    asked = select(func.count()).select_from(Job)
    async with open_records(gateway.settings) as records:
        return await records.read(lambda session: session.scalar(asked)) or 0


async def change_jobs(gateway: Gateway, **values: Any) -> None:
    change = update(Job).values(**values)
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(change))


async def leave(alice: Client, how: str) -> None:
    """Send pictures, and want none of them any more."""
    ann = {"identifier": f"4711 {how}", "name": "Ann"}
    patient = (await alice("POST", "/v1/patients", json=ann)).json()["id"]
    lesion = (await alice("POST", "/v1/lesions", json={"patient": patient})).json()["id"]
    batch = (await sent(alice, *PICTURES, patient=patient, lesion=lesion)).headers["Location"]
    single = await submitted(alice, data={"lesion": lesion})
    await alice("DELETE", single)
    done = {
        "cancelled": ("POST", f"{batch}/cancel"),
        "removed": ("DELETE", batch),
        "with its lesion": ("DELETE", f"/v1/lesions/{lesion}"),
        "with its patient": ("DELETE", f"/v1/patients/{patient}"),
    }[how]
    answer = await alice(*done, headers={"If-Match": "*"})
    assert answer.is_success, answer.text


async def told(client: Client) -> list[str]:
    """The kinds of all events that somebody may see."""
    kept = await client("GET", "/v1/events", headers={"Last-Event-ID": "0"})
    return [line[7:] for line in kept.text.splitlines() if line.startswith("event: ")]


async def test_what_nobody_wants_any_more_leaves_the_line_though_inference_is_down(
    start: Start, database_url: str
) -> None:
    async with start(inference_address="127.0.0.1:1", database_url=database_url) as cut_off:
        alice = await cut_off.signed_in()
        # Nobody waits for a batch any more either, unless nobody knows it any more.
        ends = {"cancelled": 1, "removed": 1, "with its lesion": 2, "with its patient": 3}

        for how, so_far in ends.items():
            await leave(alice, how)

            assert (how, await waiting(cut_off)) == (how, 0)
            assert (how, (await told(alice)).count("batch.finished")) == (how, so_far)
        assert (await told(alice))[-1] == "batch.finished"


async def test_what_a_gateway_takes_in_whose_clock_is_ahead_waits_for_no_other_clock(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(job_workers=0, database_url=database_url) as ahead:
        alice = await ahead.signed_in()
        with monkeypatch.context() as patch:
            patch.setattr(queue, "now", lambda: now() + timedelta(hours=1))
            path = await submitted(alice)

    async with start(database_url=database_url) as right:
        there = Client(right.http, alice.token)
        assert (await finished(there, path))["status"] == "succeeded"


async def test_what_somebody_works_on_is_left_to_them(start: Start, database_url: str) -> None:
    async with start(job_workers=0, database_url=database_url) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        soon = now() + timedelta(hours=1)
        await change_jobs(idle, holder=new_holder(), due_at=soon)

        await alice("DELETE", path)
        assert await waiting(idle) == 1

        # Its process was killed, and the lease ends.
        await change_jobs(idle, due_at=now())
    async with start(database_url=database_url) as working:
        async with asyncio.timeout(60):
            while 'outcome="dropped"} 1.0' not in await figures(working):  # noqa: ASYNC110 - a counter tells nobody
                await asyncio.sleep(0.03)
        assert await waiting(working) == 0
        assert working.inference.requests == []


async def test_who_looks_into_an_empty_line_without_news_writes_nothing(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: asyncio.Queue[bool] = asyncio.Queue()
    taken: list[Queue] = []
    has_due = Queue.has_due

    async def looked(self: Queue) -> bool:
        looks.put_nowait(await has_due(self))
        return False

    monkeypatch.setattr(Queue, "has_due", looked)
    monkeypatch.setattr(Queue, "take", taken.append)
    async with start(database_url=database_url), asyncio.timeout(60):
        assert [await looks.get() for _ in range(2)] == [False, False]
    assert taken == []


async def test_what_two_have_worked_on_has_one_result_and_is_told_of_once(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_heard(*_: object) -> None:
        """As of a process that has stood still."""

    monkeypatch.setattr(Queue, "keep", nothing_heard)
    shared = {"database_url": database_url, "job_lease_s": 1, "job_workers": 1}
    async with contextlib.AsyncExitStack() as standing_still:
        # Nor does it give its picture up before the other has come and taken it.
        slow = await standing_still.enter_async_context(start(**shared, analysis_timeout_s=600))
        alice = await slow.signed_in()
        slow.inference.may_answer.clear()
        path = await submitted(alice)
        await slow.inference.arrived()
        async with start(**shared) as quick:
            alice.http = quick.http
            done = await finished(alice, path)

            slow.inference.may_answer.set()
            await standing_still.aclose()

            assert (await alice("GET", path)).json() == done
            assert await told(alice) == ["analysis.succeeded"]
            assert (len(slow.inference.requests), len(quick.inference.requests)) == (1, 1)


async def test_the_end_of_a_batch_is_told_once_and_after_the_end_of_its_last_picture(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    batch = (await sent(alice, *PICTURES, b"no picture")).headers["Location"]
    await either.inference.arrived(len(PICTURES))
    assert "batch.finished" not in await told(alice)

    # All at the same time.
    either.inference.may_answer.set()
    async with asyncio.timeout(60):
        while not (await alice("GET", batch)).json()["finished"]:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.03)
    made = (await alice("GET", "/v1/analyses")).json()["items"]
    await alice("DELETE", f"/v1/analyses/{made[0]['id']}")

    assert await told(alice) == [
        "analysis.failed",
        *["analysis.succeeded"] * len(PICTURES),
        "batch.finished",
        "analysis.removed",
    ]


async def test_a_batch_of_which_no_file_can_be_used_has_ended_at_once(either: Gateway) -> None:
    alice = await either.signed_in()

    await sent(alice, b"no picture")

    assert await told(alice) == ["analysis.failed", "batch.finished"]


async def test_pictures_get_in_line_while_indexes_are_built(
    start: Start, postgres_url: str
) -> None:
    building_goes_on = text("SELECT count(*) FROM pg_stat_progress_create_index")
    async with start(job_workers=0, database_url=postgres_url) as gateway:
        alice = await gateway.signed_in()
        async with connected(postgres_url) as writer, connected(postgres_url) as watch:
            await watch.execute(text("DROP INDEX ix_analyses_counted"))
            await writer.execute(text("BEGIN"))
            # Who builds an index beside others waits for all of them that have written before.
            await writer.execute(text("LOCK TABLE analyses IN ROW EXCLUSIVE MODE"))
            building = asyncio.ensure_future(build_indexes(postgres_url))
            while not (await watch.scalar(building_goes_on) or building.done()):  # noqa: ASYNC110 - asks a server
                await asyncio.sleep(0)

            await submitted(alice)

            assert not building.done()
            await writer.execute(text("COMMIT"))
            assert await building == ["ix_analyses_counted"]
