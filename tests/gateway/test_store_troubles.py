"""A store that does not give a picture: a folder and a bucket, each refusing it for real."""

import asyncio
import errno
import sys
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import pytest

from services.gateway import composition
from services.gateway.jobs import Backoff, Queue, attempt, workers
from services.gateway.jobs.held import Held
from services.gateway.store import folder
from services.pb.reports_pb2 import AnalysisSummary
from tests.gateway import buckets
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.deferrals import Deferrals
from tests.gateway.test_batches import analyses, sent
from tests.gateway.test_batches import finished as batch_finished
from tests.gateway.test_bucket import settings_of
from tests.gateway.test_jobs import finished, submitted
from tests.gateway.test_reports import printed
from tests.gateway.test_store import s3
from tests.gateway.test_suspects import PICTURES

__all__ = ["s3"]


class Shelf(ABC):
    """Where a gateway keeps pictures, with a hand behind it that withholds some."""

    settings: dict[str, Any]

    @abstractmethod
    def withhold(self, name: str) -> None:
        """Let it not give a picture that is there."""

    @abstractmethod
    def give(self, name: str) -> None:
        """Let it give the picture again."""


class FolderShelf(Shelf):
    """A folder in which a picture's name is that of a folder for a while."""

    def __init__(self, root: Path) -> None:
        self.settings = {}
        self._root = root

    def withhold(self, name: str) -> None:
        path = self._of(name)
        path.rename(self._aside(name))
        path.mkdir()

    def give(self, name: str) -> None:
        path = self._of(name)
        path.rmdir()
        self._aside(name).rename(path)

    def _of(self, name: str) -> Path:
        (path,) = self._root.glob(f"*/{name[:2]}/{name}")
        return path

    def _aside(self, name: str) -> Path:
        return self._root.parent / name


class BucketShelf(Shelf):
    """A bucket whose server has a picture in an archive for a while."""

    def __init__(self, server: buckets.Server) -> None:
        address = server.bucket(f"b{uuid.uuid4().hex}")
        self.settings = settings_of(address)
        self._server, self._bucket = server, address.bucket

    def withhold(self, name: str) -> None:
        self._server.archive(self._bucket, self._key(name))

    def give(self, name: str) -> None:
        self._server.restore(self._bucket, self._key(name))

    def _key(self, name: str) -> str:
        (key,) = (key for key in self._server.names(self._bucket) if key.endswith(name))
        return key


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "folder":
        return FolderShelf(tmp_path / "data" / "pictures")
    return BucketShelf(request.getfixturevalue("s3"))


async def first_withheld(client: Client, path: str, shelf: Shelf) -> str:
    """Withhold the picture of a batch that is first in line."""
    image: str = (await analyses(client, path))["0.jpg"]["image"]["sha256"]
    shelf.withhold(image)
    return image


async def test_a_picture_that_the_store_does_not_give_holds_up_no_other(
    start: Start, shelf: Shelf
) -> None:
    async with start(job_workers=0, **shelf.settings) as idle:
        alice = await idle.signed_in()
        path = (await sent(alice, *PICTURES)).headers["Location"]
        await first_withheld(alice, path, shelf)

    async with start(job_workers=1, **shelf.settings) as working, asyncio.timeout(120):
        await working.inference.arrived(len(PICTURES) - 1)


async def test_alone_it_is_looked_for_ever_less_often_and_analyzed_when_it_is_given(
    start: Start, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=300))
    monkeypatch.setattr(workers, "_LOOK_EVERY_S", 0.01)
    delays, times, give_back = list[float](), 6, Queue.give_back

    async def given_back(self: Queue, held: Held, delay_s: float) -> None:
        delays.append(delay_s)
        if len(delays) == times:
            await asyncio.to_thread(shelf.give, image)
        await give_back(self, held, delay_s)

    monkeypatch.setattr(Queue, "give_back", given_back)
    async with start(job_workers=0, **shelf.settings) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        image = (await alice("GET", path)).json()["image"]["sha256"]
        shelf.withhold(image)

    async with start(**shelf.settings) as working:
        alice.http = working.http
        assert (await finished(alice, path))["status"] == "succeeded"

    assert delays == [0.01 * 2**times for times in range(times)]


async def test_while_others_are_given_it_fails_in_the_end(
    start: Start, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    async with start(job_workers=0, **shelf.settings) as idle:
        alice = await idle.signed_in()
        path = (await sent(alice, *PICTURES)).headers["Location"]
        await first_withheld(alice, path, shelf)

    async with start(**shelf.settings) as working:
        alice.http = working.http
        async with asyncio.timeout(120):
            while (await alice("GET", path)).json()["failed"] == 0:
                await finished(alice, await submitted(alice))
        done = await batch_finished(alice, path)

    assert (done["succeeded"], done["failed"]) == (len(PICTURES) - 1, 1)


async def test_a_picture_that_a_bucket_is_too_busy_to_give_is_waited_for_while_it_gives_others(
    start: Start, s3: buckets.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=0.01, longest_s=0.02))
    settings = settings_of(s3.bucket(f"b{uuid.uuid4().hex}"))
    async with start(job_workers=0, **settings) as idle:
        alice = await idle.signed_in()
        path = (await sent(alice, PICTURES[0])).headers["Location"]
        (analysis,) = (await analyses(alice, path)).values()
        image = analysis["image"]["sha256"]
        s3.throttle(image, sys.maxsize)

    deferrals = Deferrals(monkeypatch)
    async with start(**settings) as working, asyncio.timeout(120):
        alice.http = working.http
        while (batch := (await alice("GET", path)).json())["queued"] + batch["running"]:
            if deferrals.most >= attempt.MAX_STRIKES:
                s3.throttle(image, 0)
            await finished(alice, await submitted(alice))

    assert (batch["succeeded"], batch["failed"]) == (1, 0)
    # A picture that was at fault itself would have been given up.
    assert deferrals.most >= attempt.MAX_STRIKES


async def refusals(client: Client, *paths: str) -> set[tuple[int, str, str]]:
    """How it is said, at doors that read pictures, that one cannot be had."""
    answers = [await client("GET", path) for path in paths]
    return {
        (each.status_code, each.json()["detail"], each.headers.get("Retry-After", ""))
        for each in answers
    }


UNAVAILABLE = {(503, "Pictures cannot be kept or shown now. Try again shortly.", "1")}


async def test_what_shows_a_picture_that_the_store_does_not_give_says_to_try_again(
    start: Start, shelf: Shelf
) -> None:
    async with start(**shelf.settings) as gateway:
        alice = await gateway.signed_in()
        batch = (await sent(alice, PICTURES[0])).headers["Location"]
        await batch_finished(alice, batch)
        (analysis,) = (await analyses(alice, batch)).values()
        shelf.withhold(analysis["image"]["sha256"])

        where = f"/v1/analyses/{analysis['id']}"
        assert await refusals(alice, f"{where}/image", f"{where}/report.pdf") == UNAVAILABLE


async def test_a_report_of_many_goes_without_a_picture_that_the_store_refuses(
    start: Start, shelf: Shelf
) -> None:
    async with start(**shelf.settings) as gateway:
        alice = await gateway.signed_in()
        batch = (await sent(alice, *PICTURES[:2])).headers["Location"]
        await batch_finished(alice, batch)
        await first_withheld(alice, batch, shelf)

        rows = (await printed(gateway, alice, batch)).batch.rows

    assert [bool(row.analysis.image) for row in rows] == [False, True]
    assert rows[0].analysis.no_picture == AnalysisSummary.NO_PICTURE_LOST


@pytest.mark.parametrize("trouble", [errno.EIO, errno.ETIMEDOUT, errno.ECONNRESET, errno.ESTALE])
async def test_whatever_a_disk_or_its_server_says_is_told_in_the_same_words(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    alice = await gateway.signed_in()
    batch = (await sent(alice, PICTURES[0])).headers["Location"]
    await batch_finished(alice, batch)
    (analysis,) = (await analyses(alice, batch)).values()

    def broken(_: Path) -> bytes:
        raise OSError(trouble, "")

    monkeypatch.setattr(folder, "_read", broken)

    where = f"/v1/analyses/{analysis['id']}"
    doors = (f"{where}/image", f"{where}/report.pdf", f"{batch}/report.pdf")
    assert await refusals(alice, *doors) == UNAVAILABLE
