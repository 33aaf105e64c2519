"""Pictures that no record has go, and none that a record has, whatever happens in between."""

import errno
import os
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from services.gateway import composition, errors
from services.gateway.analyses import Files, Leftovers
from services.gateway.analyses.files import add
from services.gateway.database import Database, Scope
from services.gateway.exposition import Worker
from services.gateway.metrics import Metrics
from services.gateway.records import DEFAULT_ORGANISATION, Analysis, Removal, User, new_id, now
from services.gateway.space import Space, Watermark
from services.gateway.storage_quotas import Amount, StorageQuota, StorageQuotas
from services.gateway.store import Folder, Store, digest
from tests.gateway.conftest import Start
from tests.gateway.test_database import a_user, an_analysis
from tests.gateway.test_database import add as put
from tests.gateway.test_store import Place, keep, place, s3

__all__ = ["place", "s3"]

CONTENT = b"a picture"
NAME = digest(CONTENT)


@pytest.fixture
async def alice(records: Database) -> User:
    made = a_user()
    await put(records, a_user(**made.model_dump()))
    return made


def files_of(records: Database, store: Store) -> Files:
    metrics = Metrics()
    quotas = StorageQuotas(records, StorageQuota(), StorageQuota(), metrics)
    space = Space({}, Watermark(0, 0), metrics)
    return Files(records, store, Leftovers(records, store), quotas, space)


async def record(records: Database, store: Store, alice: User) -> None:
    """Keep a picture with its record."""
    scope = Scope(alice.organisation_id, alice.id)
    files = files_of(records, store)
    made = Analysis(**an_analysis(alice).model_dump(exclude={"image_sha256"}), image_sha256=NAME)
    async with files.stage(scope) as stage:
        stage.add(CONTENT)
        await files.keep(stage, partial(add, [made], scope), scope, Amount(stage.size, 1))


async def mark(records: Database, *, seconds_ago: float) -> None:
    """Leave a removal behind that somebody began and never ended."""
    begun = now() - timedelta(seconds=seconds_ago)
    left = Removal(organisation_id=DEFAULT_ORGANISATION, name=NAME, marked_at=begun)
    await records.write(partial(Session.add, instance=left))


@pytest.mark.parametrize("number", [1, 2])
async def test_one_worker_clears_up_at_boot_and_leaves_what_another_one_is_writing(
    start: Start, tmp_path: Path, number: int
) -> None:
    async with start() as before:
        await (await before.signed_in()).analyze()
    staged = before.settings.data_dir / "pictures" / "staged"
    for name in ("old", "new"):
        (staged / name).write_bytes(b"x")
    os.utime(staged / "old", (0, 0))

    async with composition.opened(before.settings, Metrics(), Worker(number, tmp_path)):
        left = {path.name for path in staged.iterdir()}

    assert left == ({"new"} if number == 1 else {"new", "old"})


async def test_what_was_published_and_never_recorded_goes_and_what_was_recorded_stays(
    records: Database, place: Place, alice: User
) -> None:
    """As after a process that was killed between the store and the record."""
    await record(records, place.store, alice)
    await keep(place.store, b"never recorded", whose=DEFAULT_ORGANISATION)

    await Leftovers(records, place.store).clear()
    assert len(place.names()) == 2  # it may be about to be recorded
    await Leftovers(records, place.older(-1)).clear()

    assert [name.rpartition("/")[2] for name in place.names()] == [NAME]
    assert await place.store.get(DEFAULT_ORGANISATION, NAME) == CONTENT


async def test_a_disk_that_takes_a_second_for_each_picture_is_done_with_many(
    records: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, contents = Folder(tmp_path / "pictures"), [bytes([number]) for number in range(60)]
    await keep(store, *contents, whose=DEFAULT_ORGANISATION)
    clock, unlink, spent = time.monotonic, Path.unlink, list[float]()

    def slow(path: Path, *, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        spent.append(0.8)

    monkeypatch.setattr(Path, "unlink", slow)
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(spent))
    await Leftovers(records, store).forget(DEFAULT_ORGANISATION, [*map(digest, contents)])

    assert not [path for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
    marks = await records.read(lambda session: [*session.scalars(select(Removal))])
    assert len(marks) == len(contents)
    assert all(mark.done for mark in marks)


async def test_a_picture_that_a_disk_does_not_remove_keeps_no_other_and_is_told(
    records: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, contents = Folder(tmp_path / "pictures", -1), [bytes([number]) for number in range(9)]
    await keep(store, *contents, whose=DEFAULT_ORGANISATION)
    first = (await anext(store.settled()))[1][0]
    unlink = Path.unlink

    def broken(path: Path, *, missing_ok: bool = False) -> None:
        if path.name == first:
            raise OSError(errno.EIO, "")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", broken)
    with pytest.raises(errors.StoreUnavailableError):
        await Leftovers(records, store).clear()

    left = [path.name for path in (tmp_path / "pictures").rglob("*") if path.is_file()]
    assert left == [first]


async def test_pictures_of_an_organisation_that_nobody_knows_stay(
    records: Database, place: Place
) -> None:
    await keep(place.store, CONTENT, whose=new_id())

    await Leftovers(records, place.older(-1)).clear()

    assert len(place.names()) == 1


async def test_a_picture_that_is_being_removed_is_told_so_and_later_kept(
    records: Database, tmp_path: Path, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.analyses.files._PAUSE_S", 0)
    store = Folder(tmp_path / "pictures")
    await mark(records, seconds_ago=0)

    with pytest.raises(errors.UnavailableError):
        await record(records, store, alice)


async def test_a_removal_that_a_killed_process_began_keeps_nobody_waiting_for_long(
    records: Database, tmp_path: Path, alice: User
) -> None:
    store = Folder(tmp_path / "pictures")
    await mark(records, seconds_ago=90)

    await record(records, store, alice)

    assert await store.get(DEFAULT_ORGANISATION, NAME) == CONTENT


async def test_what_was_removed_between_publishing_and_recording_is_published_again(
    records: Database, place: Place, alice: User
) -> None:
    leftovers = Leftovers(records, place.older(-1))
    published: list[str] = []
    files = files_of(records, place.store)
    scope = Scope(alice.organisation_id, alice.id)
    made = Analysis(**an_analysis(alice).model_dump(exclude={"image_sha256"}), image_sha256=NAME)
    async with files.stage(scope) as stage:
        stage.add(CONTENT)
        publish = stage.publish

        async def unlucky() -> None:
            await publish()
            published.append(NAME)
            if len(published) == 1:
                await leftovers.clear()
                assert place.names() == []

        stage.publish = unlucky  # type: ignore[method-assign]
        await files.keep(stage, partial(add, [made], scope), scope, Amount(stage.size, 1))

    assert len(published) == 2
    assert await place.store.get(DEFAULT_ORGANISATION, NAME) == CONTENT
