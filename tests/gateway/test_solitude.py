"""A picture that is tried alone: only while inference has it, and nobody is blamed for waiting."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col

from services.gateway import composition
from services.gateway.boot import open_records
from services.gateway.clients import is_ready
from services.gateway.jobs import Queue
from services.gateway.jobs.held import Held
from services.gateway.jobs.solitude import Solitude
from services.gateway.records import Job
from services.gateway.store import folder
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_batches import PICTURES, analyses, sent
from tests.gateway.test_batches import finished as batch_finished
from tests.gateway.test_jobs import finished


@pytest.fixture
def held_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], threading.Event]]:
    """Keeps a disk from giving a picture until the event that is returned."""
    events: list[threading.Event] = []

    def hold(name: str) -> threading.Event:
        given, read = threading.Event(), folder._read
        events.append(given)

        def slow(path: Path) -> bytes:
            if path.name == name:
                given.wait(120)
            return read(path)

        monkeypatch.setattr(folder, "_READ_WITHIN_S", 120)
        monkeypatch.setattr(folder, "_read", slow)
        return given

    yield hold
    for each in events:
        each.set()


async def suspected(gateway: Gateway, analysis: str) -> None:
    """Let something have failed once at a picture that waits."""
    failed = update(Job).where(col(Job.analysis_id) == analysis).values(strikes=1)
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(failed))


async def waiting_with_a_suspect(
    idle: Gateway, count: int
) -> tuple[Client, str, list[dict[str, Any]]]:
    """Send a batch whose first picture has failed once; return who sent it, where, and what."""
    alice = await idle.signed_in()
    path = (await sent(alice, *PICTURES[:count])).headers["Location"]
    shown = await analyses(alice, path)
    pictures = [shown[f"{number}.jpg"] for number in range(count)]
    await suspected(idle, pictures[0]["id"])
    return alice, path, pictures


async def test_a_store_that_is_slow_with_a_picture_that_is_tried_alone_holds_up_no_other(
    start: Start, held_back: Callable[[str], threading.Event]
) -> None:
    async with start(job_workers=0) as idle:
        alice, path, pictures = await waiting_with_a_suspect(idle, 2)

    given = held_back(pictures[0]["image"]["sha256"])
    async with start(job_workers=2) as working:
        alice.http = working.http
        other = await finished(alice, f"/v1/analyses/{pictures[1]['id']}")
        assert other["status"] == "succeeded"
        given.set()
        assert (await batch_finished(alice, path))["succeeded"] == 2


async def test_who_waited_for_one_that_inference_did_not_outlive_is_not_blamed(
    start: Start, monkeypatch: pytest.MonkeyPatch, held_back: Callable[[str], threading.Event]
) -> None:
    async with start(job_workers=0) as idle:
        alice, path, (suspect, other) = await waiting_with_a_suspect(idle, 2)

    alone, waits, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
    enter_alone, enter, give_back = Solitude.alone, Solitude.together, Queue.give_back
    strikes = dict[str, int]()

    @asynccontextmanager
    async def lone(self: Solitude) -> AsyncIterator[None]:
        async with enter_alone(self):
            alone.set()
            await over.wait()
            yield

    @asynccontextmanager
    async def together(self: Solitude) -> AsyncIterator[None]:
        waits.set()
        async with enter(self):
            yield

    async def given_back(self: Queue, held: Held, delay_s: float = 0) -> None:
        strikes[held.record.id] = held.strikes
        await give_back(self, held, delay_s)

    async def down_meanwhile(*given: Any) -> bool:
        return (not over.is_set() or len(strikes) == 2) and await is_ready(*given)

    monkeypatch.setattr(Solitude, "alone", lone)
    monkeypatch.setattr(Solitude, "together", together)
    monkeypatch.setattr(Queue, "give_back", given_back)
    monkeypatch.setattr(composition, "is_ready", down_meanwhile)
    given = held_back(other["image"]["sha256"])
    async with start(job_workers=2) as working, asyncio.timeout(120):
        alice.http = working.http
        await alone.wait()
        given.set()
        await waits.wait()
        over.set()
        assert (await batch_finished(alice, path))["succeeded"] == 2

    assert strikes == {suspect["id"]: 1, other["id"]: 0}


async def test_nobody_is_in_beside_somebody_who_is_alone() -> None:
    solitude, order = Solitude(), list[str]()
    first_in, first_may_go = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with solitude.together():
            first_in.set()
            await first_may_go.wait()
            order.append("first")

    async def lone() -> None:
        async with solitude.alone():
            order.append("alone")
            await asyncio.sleep(0)
            order.append("still alone")

    async def last() -> None:
        async with solitude.together():
            order.append("last")

    begun = [asyncio.create_task(first())]
    await first_in.wait()
    begun += [asyncio.create_task(lone()), asyncio.create_task(last())]
    await asyncio.sleep(0)
    assert solitude.is_kept
    first_may_go.set()
    await asyncio.gather(*begun)

    assert order == ["first", "alone", "still alone", "last"]
