"""A process is killed while it takes pictures in: who sends them again has each of them once."""

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select, update

from services.gateway import database
from services.gateway.database import EVERYTHING, Database
from services.gateway.records import Analysis, Batch, KeyedRequest, now
from tests import specimens
from tests.gateway.conftest import Start
from tests.gateway.counterparts import ScriptedInference, serving
from tests.gateway.processes import Running, running
from tests.gateway.sockets import serving_http
from tests.gateway.test_kills import (
    at,
    see_that_each_has_one_result,
    signed_up,
    succeeded,
    working,
)
from tests.gateway.test_last_use import nobody_writes
from tests.gateway.test_workers import becomes

PICTURES = [specimens.lesion_jpeg((60 + each, 60)) for each in range(12)]
ALONE = specimens.lesion_jpeg((60, 90))
NEVER_AGAIN = [specimens.lesion_jpeg((60, 91 + each)) for each in range(2)]
KEY = {"Idempotency-Key": "until-it-is-there"}


async def batch(
    client: httpx.AsyncClient,
    pictures: list[bytes] = PICTURES,
    first: int = 0,
    rest: asyncio.Event | None = None,
    key: Mapping[str, str] = KEY,
) -> httpx.Response:
    """Send pictures: some first, and the rest when they may come."""
    files = [("images", (f"{n}.jpg", each)) for n, each in enumerate(pictures)]
    form = httpx.Request("POST", "http://x", files=files)
    content = form.read()
    # A picture has come when the part after it begins.
    so_far = content.index(b'filename="%d.jpg"' % first)

    async def body() -> AsyncIterator[bytes]:
        yield content[:so_far]
        if rest is not None:
            await rest.wait()
        yield content[so_far:]

    headers = {"Content-Type": form.headers["Content-Type"], **key}
    return await client.post("/v1/batches", content=body(), headers=headers)


async def picture(bob: httpx.AsyncClient) -> httpx.Response:
    """Send one picture that may be analyzed later."""
    headers = KEY | {"Prefer": "respond-async", "Content-Type": "image/jpeg"}
    return await bob.post("/v1/analyses", content=ALONE, headers=headers)


@dataclass
class Life:
    """A gateway until it is killed, and requests of which it answers none that counts."""

    gateway: Running
    requests: list[asyncio.Task[httpx.Response]] = field(default_factory=list)

    def begin(self, request: Coroutine[Any, Any, httpx.Response]) -> None:
        self.requests.append(asyncio.create_task(request))

    async def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.gateway.process.kill()
        await self.gateway.process.wait()
        for request in self.requests:
            request.cancel()
        ended = await asyncio.gather(*self.requests, return_exceptions=True)
        answers = [each for each in ended if isinstance(each, httpx.Response)]
        # Who waited too long for the lock is told to come again, and does.
        assert all(each.is_success or each.status_code == 503 for each in answers), answers


@dataclass
class House:
    """Where gateways follow one another, and what is found there from outside."""

    folder: Path
    database_url: str
    records: Database
    inference: ScriptedInference
    address: str
    clients: tuple[httpx.AsyncClient, ...]

    async def turn_to(self, url: str) -> None:
        """Have all turn to another gateway; what the one before had in hand it has no more."""
        over = update(KeyedRequest).values(held_until=now())
        await self.records.write(lambda session: session.execute(over), EVERYTHING)
        for client in self.clients:
            client.base_url = httpx.URL(url)

    @contextlib.asynccontextmanager
    async def life(self) -> AsyncIterator[Life]:
        """Start a gateway that is killed in the end."""
        variables = working(self.database_url, self.address, lease_s=1)
        async with running(self.folder, **variables) as gateway:
            await self.turn_to(gateway.url)
            life = Life(gateway)
            try:
                yield life
            finally:
                await life.end()

    async def analyses(self) -> list[Analysis]:
        """All, those among them that no batch has yet."""
        asked = select(Analysis)
        return await self.records.read(lambda session: [*session.scalars(asked)], EVERYTHING)

    async def has(self, count: int) -> bool:
        return len(await self.analyses()) == count

    async def both_are_taken_in(self) -> bool:
        """Say whether there are a batch and a picture that came alone."""
        batches = await self.records.read(
            lambda session: [*session.scalars(select(Batch))], EVERYTHING
        )
        alone = [e for e in await self.analyses() if e.batch is None and e.deleted_at is None]
        return (len(batches), len(alone)) == (1, 1)

    async def orphans(self) -> set[str]:
        """Files that no record has."""
        files = {path.name for path in (self.folder / "pictures").rglob("*") if path.is_file()}
        for each in await self.analyses():
            files -= {str(each.image_sha256), str(each.mask_sha256), str(each.explanation_sha256)}
        return files

    async def has_orphans(self, count: int) -> bool:
        return len(await self.orphans()) == count


@contextlib.asynccontextmanager
async def house(folder: Path, database_url: str) -> AsyncIterator[House]:
    inference = ScriptedInference()
    async with (
        serving(inference) as address,
        database.opened(database_url, 60) as records,
        at("") as alice,
        at("") as bob,
    ):
        yield House(folder, database_url, records, inference, address, (alice, bob))


async def test_whenever_a_gateway_is_killed_what_is_sent_again_is_taken_in_once(
    tmp_path: Path, database_url: str, start: Start
) -> None:
    # Others for each kind of database.
    moments = random.Random(database_url.partition(":")[0])  # noqa: S311 - no secret
    arrived = moments.randrange(1, len(PICTURES))
    begun = moments.randrange(1, len(PICTURES))
    async with house(tmp_path / "data", database_url) as here:
        alice, bob = here.clients
        async with here.life() as between_store_and_record:
            rest = asyncio.Event()
            await signed_up(alice)
            await signed_up(bob, username="bob")
            between_store_and_record.begin(batch(alice, first=arrived, rest=rest))
            between_store_and_record.begin(batch(bob, NEVER_AGAIN, 1, rest, key={}))
            await becomes(partial(here.has, arrived + 1))
            async with nobody_writes(database_url, "analyses"):
                rest.set()
                between_store_and_record.begin(picture(bob))
                # In SQLite nothing at all is written, so the last of them does not come so far.
                await becomes(partial(here.has_orphans, 2 if "sqlite" in database_url else 3))
                await between_store_and_record.end()

        async with here.life() as before_anybody_is_told:
            before_anybody_is_told.begin(batch(alice))
            before_anybody_is_told.begin(picture(bob))
            await becomes(here.both_are_taken_in)
            await here.inference.arrived(begun)

        # What the last one had in hand is taken up when its lease is over.
        again = {"database_url": database_url, "inference_address": here.address, "job_lease_s": 1}
        async with start(**again) as gateway, serving_http(gateway.app, gateway.settings) as url:
            await here.turn_to(url)
            many = [await batch(alice) for _ in range(2)]
            one = [await picture(bob) for _ in range(2)]
            assert {answer.status_code for answer in many} == {202}
            assert {answer.status_code for answer in one} <= {201, 202}
            (path,) = {answer.headers["Location"] for answer in many}
            (alone,) = {answer.headers["Location"] for answer in one}
            await succeeded(alice, path, len(PICTURES))
            await becomes(partial(is_done, bob, alone))

            assert await gateway.purge() == arrived + 1
            assert await here.orphans() == set()
            await see_that_each_has_one_result(alice, path, len(PICTURES))
            await see_that_it_is_one(bob, alone)
            kept = [(await client.get("/v1/usage")).json()["user"] for client in here.clients]
            assert [each["pictures"] for each in kept] == [len(PICTURES), 1]


async def is_done(client: httpx.AsyncClient, path: str) -> bool:
    shown = await client.get(path)
    return bool(shown.json()["status"] == "succeeded")


async def see_that_it_is_one(client: httpx.AsyncClient, path: str) -> None:
    """See that a picture that came alone has one analysis, which was told once."""
    listed = (await client.get("/v1/analyses")).json()["items"]
    begin = {"Last-Event-ID": "0"}
    told = (await client.get("/v1/events", headers=begin, params={"follow": "false"})).text

    assert [each["id"] for each in listed] == [path.rpartition("/")[2]]
    assert re.findall("^event: (.+)$", told, re.MULTILINE) == ["analysis.succeeded"]
