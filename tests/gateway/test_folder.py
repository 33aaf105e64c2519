"""Pictures in a local folder: what a disk, a power failure or a killed process does to them."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from services.gateway import errors
from services.gateway.records import new_id
from services.gateway.store import Folder, digest
from tests.gateway.test_store import OURS, keep

ONE = digest(b"one")


@pytest.fixture
def store(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "pictures")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_a_file_lies_with_its_organisation_under_its_digest(
    store: Folder, tmp_path: Path
) -> None:
    await keep(store, b"one")

    assert files(tmp_path) == [tmp_path / "pictures" / OURS / ONE[:2] / ONE]
    assert files(tmp_path)[0].read_bytes() == b"one"


async def test_what_is_begun_is_durable_before_it_has_its_name(
    store: Folder, tmp_path: Path
) -> None:
    async with store.stage(OURS) as stage:
        stage.begin(ONE, b"one")
        await asyncio.gather(*stage._writing.values())  # type: ignore[attr-defined]
        assert [path.parent.name for path in files(tmp_path)] == ["staged"]

    assert files(tmp_path) == []


def full(_handle: int) -> None:
    raise OSError(28, "No space left on device")


def broken(_handle: int) -> None:
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(full, errors.InsufficientStorageError), (broken, errors.StoreUnavailableError)],
)
async def test_a_write_that_fails_leaves_nothing_and_is_told(
    store: Folder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[int], None],
    told: type[Exception],
) -> None:
    monkeypatch.setattr(os, "fsync", trouble)

    with pytest.raises(told):
        await keep(store, b"one", b"two")
    with pytest.raises(told):
        await keep(store, early=b"three")

    assert files(tmp_path) == []


async def test_new_folders_are_made_durable_with_their_files(
    store: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    fsync = os.fsync

    def noted(handle: int) -> None:
        synced.append(Path(f"/proc/self/fd/{handle}").readlink())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    await keep(store, b"one")

    pictures = tmp_path / "pictures"
    dealt = pictures / OURS / ONE[:2]
    assert {tmp_path, pictures, pictures / OURS, dealt} <= set(synced)
    assert {path.stat().st_mode & 0o777 for path in (dealt, pictures)} == {0o700}


async def test_a_file_that_goes_while_it_is_looked_at_is_no_error(
    store: Folder, tmp_path: Path
) -> None:
    await keep(store, b"kept")
    # Like a file that somebody else has just removed: a name that leads nowhere.
    (tmp_path / "pictures" / "staged" / "gone").symlink_to("nowhere")

    await store.sweep()

    assert await store.get(OURS, digest(b"kept")) == b"kept"


async def test_files_abandoned_on_the_stage_are_swept_and_fresh_ones_left(
    store: Folder, tmp_path: Path
) -> None:
    await keep(store, b"kept")
    staged = tmp_path / "pictures" / "staged"
    (staged / "old").write_bytes(b"x")
    (staged / "new").write_bytes(b"x")
    ago = time.time() - 7200
    os.utime(staged / "old", (ago, ago))

    await store.sweep()

    assert [path.name for path in staged.iterdir()] == ["new"]
    assert await store.get(OURS, digest(b"kept")) == b"kept"


async def test_what_is_not_ours_is_never_taken_for_a_picture(store: Folder, tmp_path: Path) -> None:
    await keep(store, b"one")
    pictures = tmp_path / "pictures"
    strange = [
        pictures / OURS / ONE[:2] / "notes.txt",
        pictures / ("x" * 32) / "aa" / ("a" * 64),
        pictures / "lost+found" / "file",
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()

    older = Folder(pictures, -1)

    found = [(whose, names) async for whose, names in older.settled()]
    assert found == [(OURS, [ONE])]
    assert await older.unassigned() == []


async def test_whoever_looks_at_a_folder_that_cannot_be_entered_is_told(
    store: Folder, tmp_path: Path
) -> None:
    assert await store.trouble() is None
    (tmp_path / "pictures").write_bytes(b"no folder")

    assert await store.trouble() == "unavailable"


async def test_what_was_to_be_discarded_and_cannot_be_looked_at_is_told(
    store: Folder, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / ONE[:2]).write_bytes(b"no folder")

    with pytest.raises(errors.StoreUnavailableError):
        await store.discard([ONE])


def flat(folder: Path, content: bytes) -> Path:
    """A file as it lay before organisations had folders."""
    name = digest(content)
    path = folder / "pictures" / name[:2] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


async def test_files_of_former_installations_go_to_all_whose_they_are(
    store: Folder, tmp_path: Path
) -> None:
    theirs = new_id()
    one, two = flat(tmp_path, b"one"), flat(tmp_path, b"two")

    assert set(await store.unassigned()) == {one.name, two.name}
    for _ in range(2):  # as after a process was killed in the midst of it
        await store.assign({one.name: [OURS, theirs]})
        assert [await store.get(each, ONE) for each in (OURS, theirs)] == [b"one", b"one"]
        assert not one.exists()
        flat(tmp_path, b"one")

    await store.assign({one.name: [OURS]})
    assert await store.unassigned() == [two.name]
    await store.discard([two.name])
    assert two.exists()
    os.utime(two, (0, 0))
    await store.discard([two.name])
    assert not two.exists()
