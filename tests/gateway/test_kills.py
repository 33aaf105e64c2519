"""A process is killed in the midst of its work: each picture that was taken in gets one result."""

import asyncio
import contextlib
import os
import random
import re
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url
from sqlmodel import col

from services.gateway import database
from services.gateway.clients import Answer, Inference
from services.gateway.database import EVERYTHING, Database
from services.gateway.deadlines import Deadline
from services.gateway.records import Job, now
from tests import specimens, tiny_models
from tests.gateway.conftest import Start
from tests.gateway.counterparts import ScriptedInference, serving
from tests.gateway.processes import running
from tests.gateway.test_workers import workers
from tests.inference.processes import replica

ACCOUNT = {"username": "alice", "password": "restart, and go on"}
PICTURES = [specimens.lesion_jpeg((60 + each, 60)) for each in range(12)]
MANY = [specimens.lesion_jpeg((400 + each, 300)) for each in range(30)]


async def signed_up(client: httpx.AsyncClient, **other: str) -> None:
    """Sign somebody up, who goes on with this client."""
    account = await client.post("/v1/auth/register", json=ACCOUNT | other)
    client.headers["Authorization"] = f"Bearer {account.json()['access_token']}"


async def sent(client: httpx.AsyncClient, pictures: list[bytes]) -> str:
    """Send a batch; returns where it is."""
    files = [("images", (f"{n}.jpg", each)) for n, each in enumerate(pictures)]
    answer = await client.post("/v1/batches", files=files)
    assert answer.status_code == 202, answer.text
    return answer.headers["Location"]


async def succeeded(client: httpx.AsyncClient, path: str, least: int) -> None:
    """Wait until a batch has so many answers."""
    async with asyncio.timeout(120):
        while (await client.get(path)).json()["succeeded"] < least:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.05)


async def see_that_each_has_one_result(client: httpx.AsyncClient, path: str, count: int) -> None:
    """Wait for the end of a batch, and count its answers and what was told of them."""
    await succeeded(client, path, count)
    batch = (await client.get(path)).json()
    made = (await client.get("/v1/analyses", params={"limit": 100})).json()["items"]
    begin = {"Last-Event-ID": "0"}
    told = (await client.get("/v1/events", headers=begin, params={"follow": "false"})).text

    assert (batch["pictures"], batch["finished"]) == (count, True)
    assert {each["file_name"] for each in made} == {f"{number}.jpg" for number in range(count)}
    assert len(made) == count
    kinds = re.findall("^event: (.+)$", told, re.MULTILINE)
    assert Counter(kinds) == {"analysis.succeeded": count, "batch.finished": 1}
    subjects = set(re.findall('"subject_id":"([0-9a-f]+)"', told))
    assert subjects == {each["id"] for each in made} | {batch["id"]}


def at(url: str, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, headers=headers, timeout=60)


async def test_a_gateway_is_killed_and_started_again(tmp_path: Path, database_url: str) -> None:
    # Others for each kind of database; where pictures are taken in, gateways are killed, too.
    moments = random.Random(database_url.partition(":")[0])  # noqa: S311 - no secret
    inference = ScriptedInference()
    async with serving(inference) as address:
        # What the first one had in hand is taken up when its lease is over.
        variables = working(database_url, address, lease_s=1)
        async with running(tmp_path, **variables) as first, at(first.url) as client:
            await signed_up(client)
            path = await sent(client, PICTURES)
            await inference.arrived(moments.randrange(1, len(PICTURES)))
            first.process.kill()
            token = client.headers["Authorization"]
        async with (
            running(tmp_path, **variables) as second,
            at(second.url, Authorization=token) as client,
        ):
            await see_that_each_has_one_result(client, path, len(PICTURES))


def working(database_url: str, inference: str, lease_s: int = 600) -> dict[str, str]:
    return {
        "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
        "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": inference,
        "DERMSERVE_GATEWAY_ANALYSIS_TIMEOUT_S": "600",
        "DERMSERVE_GATEWAY_JOB_LEASE_S": str(lease_s),
        "DERMSERVE_GATEWAY_JOB_WORKERS": "3",
    }


async def in_hand(records: Database) -> set[str]:
    """The names under which somebody holds a picture."""
    held = select(col(Job.holder)).where(col(Job.holder).is_not(None))
    return await records.read(lambda session: set(session.scalars(held)), EVERYTHING)


async def lapse(records: Database, holders: set[str]) -> None:
    """Let the leases of some be over.

    To wait for it would take leases so short that those of who lives are over now and then, too.
    """
    over = update(Job).where(col(Job.holder).in_(holders)).values(due_at=now())
    over = over.execution_options(synchronize_session=False)
    await records.write(lambda session: session.execute(over), EVERYTHING)


BUSY = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state <> 'idle'"
)


async def is_busy(records: Database, database_url: str) -> bool:
    """Say whether somebody has work in hand in the database that others may have to wait for."""
    if not database_url.startswith("sqlite"):
        return bool(await records.read(lambda session: session.scalar(BUSY), EVERYTHING))
    path = str(make_url(database_url).database)
    with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
    return False


@contextlib.asynccontextmanager
async def held_up(records: Database, database_url: str, pid: int) -> AsyncIterator[None]:
    """Stop a process for a while, at a moment when it keeps nobody waiting in the database."""
    async with asyncio.timeout(60):
        os.kill(pid, signal.SIGSTOP)
        while await is_busy(records, database_url):
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.05)
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_of_two_gateways_of_a_database_one_is_killed_with_pictures_in_hand(
    tmp_path: Path, postgres_url: str
) -> None:
    inference = ScriptedInference()
    inference.may_answer.clear()
    async with AsyncExitStack() as stack:
        variables = working(postgres_url, await stack.enter_async_context(serving(inference)))
        records = await stack.enter_async_context(database.opened(postgres_url, 60))
        one = await stack.enter_async_context(running(tmp_path, **variables))
        async with at(one.url) as client:
            await signed_up(client)
            path = await sent(client, PICTURES)
            token = client.headers["Authorization"]
        await inference.arrived(3)
        lost = await in_hand(records)
        two = await stack.enter_async_context(running(tmp_path, **variables))
        client = await stack.enter_async_context(at(two.url, Authorization=token))
        # Both hold as many as they may.
        await inference.arrived(6)

        one.process.kill()
        await lapse(records, lost)
        inference.may_answer.set()

        await see_that_each_has_one_result(client, path, len(PICTURES))
        assert len(inference.requests) == len(PICTURES) + 3


async def test_of_two_workers_one_is_killed_with_pictures_in_hand(
    tmp_path: Path, database_url: str
) -> None:
    inference = ScriptedInference()
    inference.may_answer.clear()
    async with AsyncExitStack() as stack:
        variables = working(database_url, await stack.enter_async_context(serving(inference)))
        variables["DERMSERVE_GATEWAY_WORKERS"] = "2"
        records = await stack.enter_async_context(database.opened(database_url, 60))
        served = await stack.enter_async_context(running(tmp_path, **variables))
        async with at(served.url) as client:
            await signed_up(client)
            token = {"Authorization": client.headers["Authorization"]}
        victim = min(workers(served))
        async with held_up(records, database_url, victim), at(served.url, **token) as client:
            path = await sent(client, PICTURES)
            await inference.arrived(3)
            kept = await in_hand(records)
        await inference.arrived(6)

        os.kill(victim, signal.SIGKILL)
        await lapse(records, await in_hand(records) - kept)
        inference.may_answer.set()

        async with at(served.url, **token) as other:
            await see_that_each_has_one_result(other, path, len(PICTURES))
        assert len(inference.requests) == len(PICTURES) + 3


class Gate:
    """So many pictures may be analyzed; the others wait for more to be allowed."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(0)
        self._in_hand: set[object] = set()
        self._came = asyncio.Event()

    def allow(self, count: int) -> None:
        """Allow so many more."""
        for _ in range(count):
            self._free.release()

    async def until_one_is_in_hand(self) -> None:
        """Wait for a picture that inference has and has not answered."""
        while not self._in_hand:
            self._came.clear()
            await self._came.wait()

    @contextlib.asynccontextmanager
    async def passed(self) -> AsyncIterator[None]:
        """Be let through; who does not get through may be tried again."""
        await self._free.acquire()
        ticket = object()
        self._in_hand.add(ticket)
        self._came.set()
        try:
            yield
        except BaseException:
            self._free.release()
            raise
        finally:
            self._in_hand.discard(ticket)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """What stands before inference."""
    gate, analyze = Gate(), Inference.analyze

    async def after(self: Inference, picture: bytes, deadline: Deadline, *, bulk: bool) -> Answer:
        async with gate.passed():
            return await analyze(self, picture, deadline, bulk=bulk)

    monkeypatch.setattr(Inference, "analyze", after)
    return gate


async def test_inference_is_killed_whenever_it_has_begun_and_started_again(
    tmp_path: Path, start: Start, database_url: str, gate: Gate
) -> None:
    models = tiny_models.write_models(tmp_path / "models")
    moments = random.Random(1)  # noqa: S311 - no secret
    variables = {"EXECUTION_PROVIDER": "cpu", "PRECISION": "fp32", "RUNNERS": "1"}
    with replica(
        models, **{f"DERMSERVE_INFERENCE_{name}": value for name, value in variables.items()}
    ) as inference:
        # Nobody is there yet when the pictures come.
        inference.end()
        settings = {"inference_address": inference.address, "analysis_timeout_s": 600}
        async with start(**settings, database_url=database_url, job_workers=3) as gateway:
            await signed_up(gateway.http)
            path, done = await sent(gateway.http, MANY), 0
            for _ in range(2):
                # Some are left, however late somebody looks.
                gate.allow(9)
                inference.start_again()
                await succeeded(gateway.http, path, done + moments.randrange(1, 6))
                gate.allow(3)
                await gate.until_one_is_in_hand()
                inference.end()
                batch = (await gateway.http.get(path)).json()
                assert not batch["finished"]
                done = batch["succeeded"]

            gate.allow(len(MANY))
            inference.start_again()
            await see_that_each_has_one_result(gateway.http, path, len(MANY))
