"""Pictures at rest."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from services.gateway.store import Store, digest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "pictures")


async def keep(store: Store, *contents: bytes, early: bytes | None = None) -> None:
    async with store.stage() as stage:
        if early is not None:
            stage.begin(digest(early), early)
        for content in contents:
            stage.add(content)
        await store.publish(stage)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_content_is_found_by_its_digest(store: Store, tmp_path: Path) -> None:
    await keep(store, b"one", b"two", b"one")

    name = digest(b"one")
    assert await store.get(name) == b"one"
    assert (tmp_path / "pictures" / name[:2] / name).read_bytes() == b"one"
    assert len(files(tmp_path)) == 2


async def test_what_is_staged_and_not_published_vanishes(store: Store, tmp_path: Path) -> None:
    async with store.stage() as stage:
        stage.begin(digest(b"one"), b"one")
        stage.add(b"two")
        await stage.begun()
        assert len(files(tmp_path)) == 1

    assert files(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        await store.get(digest(b"one"))


async def test_a_write_that_fails_leaves_nothing_and_is_told(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        await keep(store, b"one", b"two")
    with pytest.raises(OSError, match="No space"):
        await keep(store, early=b"three")

    assert files(tmp_path) == []


async def test_removing_twice_is_no_error(store: Store) -> None:
    await keep(store, b"one")

    for _ in range(2):
        await store.remove([digest(b"one")])

    with pytest.raises(FileNotFoundError):
        await store.get(digest(b"one"))


async def test_who_holds_a_file_holds_it_alone_and_nothing_is_remembered(store: Store) -> None:
    holds = {who: asyncio.Event() for who in ("1ab", "2ba", "3c")}
    go_on = asyncio.Event()

    async def hold(who: str) -> None:
        async with store.holding(who[1:]):
            holds[who].set()
            await go_on.wait()

    tasks = [asyncio.create_task(hold(who)) for who in holds]
    await asyncio.wait_for(asyncio.gather(holds["1ab"].wait(), holds["3c"].wait()), 5)
    assert not holds["2ba"].is_set()

    go_on.set()
    await asyncio.gather(*tasks)
    assert holds["2ba"].is_set()
    assert store._locks == {}


async def test_new_folders_are_made_durable_with_their_files(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    await keep(store, b"one")

    dealt = digest(b"one")[:2]
    pictures = tmp_path / "pictures"
    assert {tmp_path, pictures, pictures / dealt} <= set(synced)
    assert {path.stat().st_mode & 0o777 for path in (pictures / dealt, pictures)} == {0o700}


async def test_a_staged_file_that_goes_while_it_is_looked_at_is_no_error(
    store: Store, tmp_path: Path
) -> None:
    await keep(store, b"kept")
    # Like a file that another sweep has just removed: a name that leads nowhere.
    (tmp_path / "pictures" / "staged" / "gone").symlink_to("nowhere")

    await store.sweep()

    assert await store.get(digest(b"kept")) == b"kept"


async def test_files_abandoned_on_the_stage_are_swept_and_fresh_ones_left(
    store: Store, tmp_path: Path
) -> None:
    await keep(store, b"kept")
    staged = tmp_path / "pictures" / "staged"
    (staged / "old").write_bytes(b"x")
    (staged / "new").write_bytes(b"x")
    ago = time.time() - 7200
    os.utime(staged / "old", (ago, ago))

    await store.sweep()

    assert [path.name for path in staged.iterdir()] == ["new"]
    assert await store.get(digest(b"kept")) == b"kept"
