"""What ends a picture in the line, what counts against it, and what is only waited for."""

import asyncio
import errno
import itertools
from pathlib import Path
from typing import Any

import grpc
import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError

from services import rpc
from services.gateway import composition
from services.gateway.boot import open_records
from services.gateway.jobs import Backoff, Queue, attempt, workers
from services.gateway.records import Job
from services.gateway.store import Folder, folder
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import assessed
from tests.gateway.test_batches import analyses, sent
from tests.gateway.test_batches import finished as batch_finished
from tests.gateway.test_jobs import finished, submitted
from tests.gateway.test_suspects import PICTURES, WIDTHS, width

FULL = grpc.StatusCode.RESOURCE_EXHAUSTED


class Picky:
    """Refuses pictures of some widths, for as long as it likes."""

    def __init__(self, *refused: int, pushback_ms: int) -> None:
        self._refused = refused
        self._trailers = ((rpc.PUSHBACK_TRAILER, str(pushback_ms)),)
        self.refusals = 0

    async def respond(self, request: Any, context: Any) -> Any:
        if width(request) in self._refused:
            self.refusals += 1
            await context.abort(FULL, "not this one", self._trailers)
        return assessed()


async def test_a_picture_that_is_always_refused_holds_up_no_other(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    picky = Picky(WIDTHS[0], pushback_ms=600_000)
    monkeypatch.setattr(either.inference, "respond", picky.respond)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    async with asyncio.timeout(60):
        while (batch := (await alice("GET", path)).json())["succeeded"] < 3:  # noqa: ASYNC110 - it sets no event
            await asyncio.sleep(0.03)

    assert (batch["queued"], picky.refusals) == (1, 1)


async def test_a_picture_that_is_always_refused_is_given_up_in_the_end(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 4)
    picky = Picky(WIDTHS[0], pushback_ms=1)
    monkeypatch.setattr(either.inference, "respond", picky.respond)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    done = await batch_finished(alice, path)

    assert (done["succeeded"], done["failed"], picky.refusals) == (3, 1, 4)
    (failed,) = (await analyses(alice, path, status="failed")).values()
    assert (failed["file_name"], failed["problem"]["status"]) == ("0.jpg", 503)


async def test_how_often_a_picture_was_refused_is_known_to_the_next_gateway(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url, job_workers=0) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        often = update(Job).values(deferrals=attempt.MAX_DEFERRALS - 1)
        async with open_records(idle.settings) as records:
            await records.write(lambda session: session.execute(often))

    async with start(database_url=database_url) as working:
        monkeypatch.setattr(working.inference, "failure", (FULL, "queue full"))
        alice.http = working.http

        assert (await finished(alice, path))["problem"]["status"] == 503
        assert len(working.inference.requests) == 1


NO_ANSWER_FITS = """
    CREATE TRIGGER refusing BEFORE UPDATE ON analyses WHEN NEW.outcome IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'no answer fits'); END
"""


async def test_a_picture_whose_answer_cannot_be_recorded_is_given_up(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backoff, "after", lambda *_: 0.001)
    alice = await gateway.signed_in()
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(text(NO_ANSWER_FITS)))

    failed = await finished(alice, await submitted(alice))

    assert failed["problem"]["status"] == 500
    assert failed["problem"]["detail"] == "Something went wrong. The log has it by the request id."
    assert len(gateway.inference.requests) == attempt.MAX_STRIKES


async def test_a_database_that_is_locked_is_waited_for_and_costs_no_picture_its_analysis(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 1)
    alice = await gateway.signed_in()
    gateway.inference.may_answer.clear()
    path = await submitted(alice)
    await gateway.inference.arrived()

    def locked(*_: object, **__: object) -> None:
        raise OperationalError("", {}, Exception("database is locked"))

    with monkeypatch.context() as patch:
        patch.setattr(Queue, "end", locked)
        gateway.inference.may_answer.set()
        await gateway.inference.arrived(2)

    assert (await finished(alice, path))["status"] == "succeeded"


async def test_two_pictures_that_are_refused_for_long_hold_up_the_others_for_seconds_only(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "LONGEST_REST_S", 0.1, raising=False)
    picky = Picky(*WIDTHS[:2], pushback_ms=600_000)
    async with start(job_workers=1) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(gateway.inference, "respond", picky.respond)
        path = (await sent(alice, *PICTURES)).headers["Location"]
        async with asyncio.timeout(60):
            while (await alice("GET", path)).json()["succeeded"] < 2:  # noqa: ASYNC110 - it sets no event
                await asyncio.sleep(0.03)


@pytest.mark.parametrize("trouble", [errno.EIO, errno.EROFS, errno.EACCES, errno.ETIMEDOUT])
async def test_a_store_that_cannot_be_read_is_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 1)
    alice, read, troubles = await gateway.signed_in(), folder._read, [OSError(trouble, "")]

    def once(path: Path) -> bytes:
        if troubles:
            raise troubles.pop()
        return read(path)

    monkeypatch.setattr(folder, "_read", once)

    assert (await finished(alice, await submitted(alice)))["status"] == "succeeded"
    assert not troubles


async def test_a_picture_alone_that_cannot_be_read_is_looked_for_ever_less_often(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.05, longest_s=300))
    monkeypatch.setattr(workers, "_LOOK_EVERY_S", 0.01)
    looks, read, clock = list[float](), folder._read, asyncio.get_running_loop().time

    def broken(path: Path) -> bytes:
        looks.append(clock())
        if len(looks) < 6:
            raise OSError(errno.EIO, "")
        return read(path)

    async with start() as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", broken)

        assert (await finished(alice, await submitted(alice)))["status"] == "succeeded"

    waits = [later - earlier for earlier, later in itertools.pairwise(looks)]
    # Never sooner than that; later on a machine with much to do.
    for wait, least in zip(waits, [0.05, 0.1, 0.2, 0.4, 0.8], strict=True):
        assert wait > 0.9 * least


async def test_it_is_looked_for_at_least_so_often_that_it_goes_on_soon_after_the_trouble(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=300, longest_s=300))
    monkeypatch.setattr(attempt, "LONGEST_TROUBLE_S", 0.01)
    read, troubles = folder._read, [OSError(errno.EIO, "") for _ in range(3)]

    def broken(path: Path) -> bytes:
        if troubles:
            raise troubles.pop()
        return read(path)

    async with start() as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", broken)

        assert (await finished(alice, await submitted(alice)))["status"] == "succeeded"


async def test_of_troubles_few_are_remembered_and_none_of_pictures_that_are_done(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.01))
    monkeypatch.setattr(attempt, "_MOST_TROUBLED", 2)
    made, remembered, read = list[attempt.Attempt](), list[int](), folder._read

    def kept(*given: Any) -> attempt.Attempt:
        made.append(attempt.Attempt(*given))
        return made[-1]

    def broken(path: Path) -> bytes:
        remembered.append(len(made[0]._troubles))
        if len(remembered) < 12:
            raise OSError(errno.EIO, "")
        return read(path)

    monkeypatch.setattr(composition, "Attempt", kept)
    async with start() as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", broken)
        path = (await sent(alice, *PICTURES)).headers["Location"]
        done = await batch_finished(alice, path)

    assert done["succeeded"] == len(PICTURES)
    assert max(remembered) == 2
    assert made[0]._troubles == {}


async def test_a_store_that_cannot_be_written_to_is_waited_for(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 1)
    alice = await gateway.signed_in()
    gateway.inference.may_answer.clear()
    path = await submitted(alice)
    await gateway.inference.arrived()

    def unwritten(*_: object) -> None:
        raise OSError(errno.EIO, "")

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", unwritten)
        gateway.inference.may_answer.set()
        await gateway.inference.arrived(2)

    assert (await finished(alice, path))["status"] == "succeeded"


async def test_a_picture_that_cannot_be_read_while_others_can_is_given_up(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    read, names, met = folder._read, set[str](), asyncio.Event()
    loop = asyncio.get_running_loop()

    def broken(path: Path) -> bytes:
        if path.name in (names or {path.name}):
            names.add(path.name)
            loop.call_soon_threadsafe(met.set)
            raise OSError(errno.EIO, "")
        return read(path)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", broken)
        path = (await sent(alice, PICTURES[0])).headers["Location"]
        await met.wait()  # else one of the others could be the first that is read
        async with asyncio.timeout(120):
            while (batch := (await alice("GET", path)).json())["queued"] + batch["running"]:
                await finished(alice, await submitted(alice))
        (failed,) = (await analyses(alice, path)).values()

    assert failed["problem"]["status"] == 503


class Slow:
    """A disk that is too slow for the picture that is read first, so often, and for no other."""

    def __init__(self, times: int) -> None:
        self._read, self._loop = folder._read, asyncio.get_running_loop()
        self._name = ""
        self.left = times
        self.met = asyncio.Event()

    def __call__(self, path: Path) -> bytes:
        self._name = self._name or path.name
        if path.name == self._name and self.left:
            self.left -= 1
            self._loop.call_soon_threadsafe(self.met.set)
            raise OSError(errno.ETIMEDOUT, "")
        return self._read(path)


async def while_others_are_read(alice: Client, slow: Slow) -> dict[str, Any]:
    """Send a picture that a disk is too slow for, and others until it has ended."""
    path = (await sent(alice, PICTURES[0])).headers["Location"]
    await slow.met.wait()  # else one of the others could be the first that is read
    async with asyncio.timeout(120):
        while (batch := (await alice("GET", path)).json())["queued"] + batch["running"]:
            await finished(alice, await submitted(alice))
    return dict(batch)


async def test_a_picture_that_a_disk_is_too_slow_for_is_waited_for_while_others_are_read(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    slow = Slow(8 * attempt.MAX_STRIKES)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", slow)
        done = await while_others_are_read(alice, slow)

    assert (done["succeeded"], done["failed"], slow.left) == (1, 0, 0)


async def test_such_a_picture_is_given_up_after_far_more_tries(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1000)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 3)
    slow = Slow(10**6)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", slow)
        done = await while_others_are_read(alice, slow)

    assert (done["succeeded"], done["failed"]) == (0, 1)
