"""Disks that say nothing, or nothing of use, when they are asked: it is told in time."""

import asyncio
import errno
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.orm import Session

from services.gateway import database, errors, kinds, space
from services.gateway.batches import reading
from services.gateway.database import EVERYTHING, Within
from services.gateway.health import Health
from services.gateway.metrics import Metrics
from services.gateway.store import Folder, digest, files, folder
from services.gateway.threads import Threads
from tests import specimens
from tests.gateway.clocks import pass_time
from tests.gateway.conftest import Gateway
from tests.gateway.test_batches import sent_zip, zipped
from tests.gateway.test_database import a_user, add, users
from tests.gateway.test_store import OURS, keep

SOON_S = 0.05


@pytest.fixture
def hanging() -> Iterator[Any]:
    """A disk that answers when the test is over, as a server that is away for an hour does."""
    back = threading.Event()

    def hangs(*_: object, **__: object) -> None:
        hangs.begun.set()  # type: ignore[attr-defined]
        back.wait(120)

    hangs.begun = threading.Event()  # type: ignore[attr-defined]
    yield hangs
    back.set()


def is_told(answer: httpx.Response) -> bool:
    """Say whether somebody is told to come again, since the store is in trouble."""
    problem = answer.json()
    return (
        answer.status_code == 503
        and problem["type"] == "/docs/problems#unavailable"
        and problem["detail"] == "Pictures cannot be kept or shown now. Try again shortly."
        and answer.headers["Retry-After"] == "1"
    )


async def test_a_picture_that_a_disk_does_not_give_in_time_is_said_to_be_unavailable(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    monkeypatch.setattr(folder, "_READ_WITHIN_S", SOON_S)
    monkeypatch.setattr(folder, "_read", hanging)

    assert is_told(await alice("GET", f"{where}/image"))


async def test_a_picture_that_a_disk_does_not_take_in_time_is_refused_and_taken_afterwards(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    asked, back = threading.Event(), threading.Event()
    write = files.write

    def hangs(*given: Any) -> Path:
        asked.set()
        back.wait(120)
        return write(*given)

    with monkeypatch.context() as patch:
        patch.setattr(files, "write", hangs)
        sending = asyncio.create_task(alice.analyze())
        assert await asyncio.to_thread(asked.wait, 60)
        pass_time(folder.CHANGED_WITHIN_S)
        refused = await asyncio.wait_for(sending, 60)
        listed = await alice("GET", "/v1/analyses")
        back.set()

    assert is_told(refused)
    assert listed.json()["items"] == []
    assert (await alice.analyze()).status_code == 201
    (one,) = (await alice("GET", "/v1/analyses")).json()["items"]
    assert (await alice("GET", f"/v1/analyses/{one['id']}/image")).status_code == 200


async def test_an_archive_that_a_disk_does_not_take_in_time_is_refused(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    alice = await gateway.signed_in()
    monkeypatch.setattr(reading, "CHANGED_WITHIN_S", SOON_S)
    monkeypatch.setattr(tempfile, "TemporaryFile", hanging)

    assert is_told(await sent_zip(alice, zipped({"a.jpg": specimens.lesion_jpeg()})))


async def test_files_are_shown_while_nothing_can_be_changed_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    store = Folder(tmp_path)
    await keep(store, b"one")
    monkeypatch.setattr(store, "_changing", Threads(2, SOON_S))
    monkeypatch.setattr(files, "unlink_until", hanging)

    for _ in range(5):
        with pytest.raises(errors.StoreUnavailableError):
            await asyncio.wait_for(store.remove(OURS, [digest(b"one")]), 60)

    assert await asyncio.wait_for(store.get(OURS, digest(b"one")), 60) == b"one"
    assert await store.trouble() == "unavailable"


async def test_a_disk_that_was_away_removes_no_file_after_its_removal_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, contents = Folder(tmp_path), (b"one", b"two")
    await keep(store, *contents)
    clock, unlink = time.monotonic, Path.unlink

    def slow(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        monkeypatch.setattr(time, "monotonic", lambda: clock() + folder.CHANGED_WITHIN_S + 1)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", slow)
        with pytest.raises(errors.StoreUnavailableError):
            await store.remove(OURS, map(digest, contents))

    assert await store.get(OURS, digest(b"two")) == b"two"


async def test_what_hangs_in_sqlite_is_given_up_and_not_done_when_the_disk_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, back, clock = threading.Event(), threading.Event(), time.monotonic

    def hangs(session: Session) -> None:
        session.add(a_user())
        begun.set()
        back.wait(120)

    async with database.opened(f"sqlite:///{tmp_path / 'test.db'}", 60) as records:
        hanging = asyncio.create_task(records.write(hangs, EVERYTHING))
        assert await asyncio.to_thread(begun.wait, 60)
        monkeypatch.setattr(time, "monotonic", lambda: clock() + 3600)

        for each in (hanging, add(records, a_user())):
            with pytest.raises(ConnectionError) as raised:
                await each
            assert kinds.kind_of(raised.value).status == 503
        assert await users(records) == []
        back.set()
        while (await asyncio.gather(add(records, a_user()), return_exceptions=True))[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

        assert len(await users(records)) == 1


async def test_a_sqlite_whose_writer_hangs_is_said_to_be_unavailable_though_it_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    clock = time.monotonic
    room = space.Space({}, space.Watermark(0, 0), Metrics())
    async with database.opened(f"sqlite:///{tmp_path / 'test.db'}", 60) as records:
        health = Health(Within(records, EVERYTHING), {}, Folder(tmp_path), room)
        assert (await health.check())["database"] == "ok"
        writing = asyncio.create_task(records.write(hanging, EVERYTHING))
        await asyncio.to_thread(hanging.begun.wait, 60)
        monkeypatch.setattr(time, "monotonic", lambda: clock() + 3600)
        with pytest.raises(ConnectionError, match="it has not ended in time"):
            await writing

        assert (await health.check())["database"] == "unavailable"
        assert await users(records) == []


async def test_what_is_looked_up_in_a_sqlite_whose_disk_hangs_is_given_up(
    tmp_path: Path, hanging: Any
) -> None:
    async with database.opened(f"sqlite:///{tmp_path / 'test.db'}", 60) as records:
        looking = asyncio.create_task(records.read(hanging, EVERYTHING))
        await asyncio.sleep(0)
        pass_time(3600)

        with pytest.raises(ConnectionError) as raised:
            await asyncio.wait_for(looking, 60)

        assert kinds.kind_of(raised.value).status == 503
        assert await users(records) == []


async def test_a_gateway_whose_folder_of_pictures_hangs_is_not_ready(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    monkeypatch.setattr(folder, "_enter", hanging)
    monkeypatch.setattr(folder, "_READ_WITHIN_S", SOON_S)

    ready = await gateway.http.get("/readyz")

    assert (ready.status_code, ready.json()["checks"]["pictures"]) == (503, "unavailable")


async def test_a_gateway_whose_folder_of_pictures_cannot_be_entered_is_not_ready(
    gateway: Gateway,
) -> None:
    pictures = gateway.settings.data_dir / "pictures"
    if pictures.exists():
        pictures.rename(pictures.with_name("elsewhere"))
    pictures.write_bytes(b"no folder")

    ready = await gateway.http.get("/readyz")

    assert (ready.status_code, ready.json()["checks"]["pictures"]) == (503, "unavailable")


async def test_whether_a_gateway_is_ready_is_said_in_time_though_the_room_is_not_known(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    monkeypatch.setattr(space, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(space, "_LOOK_WITHIN_S", SOON_S)
    monkeypatch.setattr(shutil, "disk_usage", hanging)

    ready = await gateway.http.get("/readyz")

    assert ready.json()["checks"]["space"] == "unknown"


async def test_a_picture_is_refused_in_time_where_the_room_on_a_disk_is_not_told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, hanging: Any
) -> None:
    alice = await gateway.signed_in()
    monkeypatch.setattr(space, "_LOOK_EVERY_S", 0)
    monkeypatch.setattr(space, "_LOOK_WITHIN_S", SOON_S)
    monkeypatch.setattr(shutil, "disk_usage", hanging)

    assert is_told(await alice.analyze())


async def test_until_a_disk_is_looked_at_again_all_go_by_what_it_said_last(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    monkeypatch.setattr(space, "_LOOK_EVERY_S", 0)
    with monkeypatch.context() as patch:

        def broken(_: Path) -> None:
            raise OSError(errno.EIO, "")

        patch.setattr(shutil, "disk_usage", broken)
        assert is_told(await alice.analyze())
        patch.setattr(space, "_LOOK_EVERY_S", 3600)
        assert is_told(await alice.analyze())

    assert (await alice.analyze()).status_code == 201


@pytest.mark.parametrize(
    "trouble", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.ECONNRESET]
)
async def test_a_picture_is_refused_for_the_store_where_a_disk_cannot_tell_its_room(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    alice = await gateway.signed_in()
    monkeypatch.setattr(space, "_LOOK_EVERY_S", 0)

    def broken(_: Path) -> None:
        raise OSError(trouble, "")

    monkeypatch.setattr(shutil, "disk_usage", broken)

    assert is_told(await alice.analyze())
