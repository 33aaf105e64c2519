"""A disk in trouble with pictures: what is waited for, how long, and what is given up."""

import asyncio
import errno
import itertools
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.gateway import composition
from services.gateway.jobs import Backoff, attempt, workers
from services.gateway.store import Folder, folder
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.deferrals import Deferrals
from tests.gateway.test_batches import analyses, sent
from tests.gateway.test_batches import finished as batch_finished
from tests.gateway.test_jobs import finished, submitted
from tests.gateway.test_suspects import PICTURES


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
    monkeypatch.setattr(workers, "_LOOK_EVERY_S", 0.01)
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


class FirstIll:
    """A disk in trouble with the picture that is read first, for a while, and with no other."""

    def __init__(self, trouble: int, lasts: Callable[[], bool] = lambda: True) -> None:
        self._read, self._loop = folder._read, asyncio.get_running_loop()
        self._trouble, self._lasts = trouble, lasts
        self._name = ""
        self._met = asyncio.Event()

    def __call__(self, path: Path) -> bytes:
        self._name = self._name or path.name
        if path.name == self._name and self._lasts():
            self._loop.call_soon_threadsafe(self._met.set)
            raise OSError(self._trouble, "")
        return self._read(path)

    async def while_others_are_read(self, alice: Client) -> dict[str, Any]:
        """Send a picture that there is trouble with, and others until it has ended."""
        path = (await sent(alice, PICTURES[0])).headers["Location"]
        async with asyncio.timeout(120):
            await self._met.wait()  # else one of the others could be the first that is read
            while (batch := (await alice("GET", path)).json())["queued"] + batch["running"]:
                await finished(alice, await submitted(alice))
        (analysis,) = (await analyses(alice, path)).values()
        return dict(analysis)


async def test_a_picture_that_cannot_be_read_while_others_can_is_given_up(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    disk = FirstIll(errno.EACCES)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", disk)
        ended = await disk.while_others_are_read(alice)

    assert (ended["status"], ended["problem"]["status"]) == ("failed", 503)


@pytest.mark.parametrize("trouble", [errno.ETIMEDOUT, errno.EIO])
async def test_a_picture_that_a_disk_is_in_trouble_with_is_waited_for_while_others_are_read(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    deferrals = Deferrals(monkeypatch)
    # Until a picture that was at fault itself would long have been given up.
    disk = FirstIll(trouble, lambda: deferrals.most < 2 * attempt.MAX_STRIKES)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", disk)
        ended = await disk.while_others_are_read(alice)

    assert ended["status"] == "succeeded"
    assert deferrals.most == 2 * attempt.MAX_STRIKES


async def test_such_a_picture_is_given_up_after_far_more_tries(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    monkeypatch.setattr(attempt, "MAX_STRIKES", 1000)
    monkeypatch.setattr(attempt, "MAX_DEFERRALS", 3)
    monkeypatch.setattr(attempt, "LONGEST_LOAD", timedelta())
    disk = FirstIll(errno.ETIMEDOUT)

    async with start(database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", disk)
        ended = await disk.while_others_are_read(alice)

    assert ended["status"] == "failed"
    # It stays with the record: nothing is to be tried again.
    assert ended["problem"]["detail"] == "It could not be analyzed in several tries."
