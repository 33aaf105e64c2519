"""Pictures at rest: the same of a local folder and of an S3 bucket."""

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.gateway import errors
from services.gateway.records import new_id
from services.gateway.store import Bucket, Folder, Store, digest
from tests.gateway import buckets

OURS, THEIRS = new_id(), new_id()


@dataclass
class Place:
    """A store and a way to look at it from behind."""

    store: Store
    folder: Path | None = None
    server: buckets.Server | None = None
    bucket: str = ""

    def names(self) -> list[str]:
        """Whatever lies there."""
        if self.folder is not None:
            found = (path for path in self.folder.rglob("*") if path.is_file())
            return [path.relative_to(self.folder).as_posix() for path in found]
        assert self.server is not None
        return self.server.names(self.bucket)

    def damage(self, name: str) -> None:
        """Change the one object of a name."""
        (key,) = (key for key in self.names() if key.endswith(name))
        if self.folder is not None:
            (self.folder / key).write_bytes(b"something else")
        else:
            assert self.server is not None
            self.server.put(self.bucket, key, b"something else")

    def older(self, settled_after_s: float) -> Store:
        """The same place, for somebody who takes objects for old sooner."""
        if self.folder is not None:
            return Folder(self.folder, settled_after_s)
        assert self.server is not None
        return Bucket(self.server.bucket(self.bucket, prefix="a/b"), 60, settled_after_s)


@pytest.fixture(scope="session")
def s3() -> Iterator[buckets.Server]:
    with buckets.serving() as server:
        yield server


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(Folder(tmp_path / "pictures"), folder=tmp_path / "pictures")
    server: buckets.Server = request.getfixturevalue("s3")
    name = f"b{uuid.uuid4().hex}"
    store = Bucket(server.bucket(name, prefix="a/b"), 60)
    return Place(store, server=server, bucket=name)


@pytest.fixture
def store(place: Place) -> Store:
    return place.store


async def keep(
    store: Store, *contents: bytes, early: bytes | None = None, whose: str = OURS
) -> None:
    async with store.stage(whose) as stage:
        if early is not None:
            stage.begin(digest(early), early)
        for content in contents:
            stage.add(content)
        await stage.publish()


async def settled(store: Store) -> set[tuple[str, str]]:
    return {(whose, name) async for whose, names in store.settled() for name in names}


async def test_content_is_found_by_its_digest_and_kept_once(place: Place) -> None:
    await keep(place.store, b"one", b"two", b"one", early=b"three")

    for content in (b"one", b"two", b"three"):
        assert await place.store.get(OURS, digest(content)) == content
    assert len(place.names()) == 3


async def test_nothing_of_another_organisation_is_found_or_shared(place: Place) -> None:
    await keep(place.store, b"one")

    with pytest.raises(FileNotFoundError):
        await place.store.get(THEIRS, digest(b"one"))
    await keep(place.store, b"one", whose=THEIRS)

    assert len(place.names()) == 2
    assert all(
        sum(each in name.split("/") for each in (OURS, THEIRS)) == 1 for name in place.names()
    )
    await place.store.remove(THEIRS, [digest(b"one")])
    assert await place.store.get(OURS, digest(b"one")) == b"one"


async def test_nothing_is_there_for_nothing(store: Store) -> None:
    async with store.stage(OURS) as stage:
        assert stage.add(b"") is None
        await stage.publish()
        assert (stage.names, stage.size) == ([], 0)

    with pytest.raises(FileNotFoundError):
        await store.get(OURS, digest(b""))


async def test_what_is_staged_and_not_published_vanishes(place: Place) -> None:
    async with place.store.stage(OURS) as stage:
        stage.begin(digest(b"one"), b"one")
        stage.add(b"two")
        assert stage.size == 6

    assert place.names() == []
    with pytest.raises(FileNotFoundError):
        await place.store.get(OURS, digest(b"one"))


async def test_what_is_published_twice_is_there_again(place: Place) -> None:
    async with place.store.stage(OURS) as stage:
        stage.begin(digest(b"one"), b"one")
        stage.add(b"two")
        await stage.publish()
        await place.store.remove(OURS, stage.names)
        await stage.publish()

    assert await place.store.get(OURS, digest(b"one")) == b"one"
    assert len(place.names()) == 2


async def test_many_who_write_the_same_do_not_disturb_each_other(place: Place) -> None:
    content = bytes(range(256)) * 1000

    await asyncio.gather(*(keep(place.store, content, early=content) for _ in range(8)))

    assert await place.store.get(OURS, digest(content)) == content
    assert len(place.names()) == 1


async def test_removing_twice_is_no_error_and_leaves_the_others(store: Store) -> None:
    await keep(store, b"one", b"two")

    for names in ([digest(b"one")], [digest(b"one")], []):
        await store.remove(OURS, names)

    with pytest.raises(FileNotFoundError):
        await store.get(OURS, digest(b"one"))
    assert await store.get(OURS, digest(b"two")) == b"two"


async def test_what_is_damaged_is_told_by_its_hash_and_not_shown(place: Place) -> None:
    await keep(place.store, b"one")

    place.damage(digest(b"one"))

    with pytest.raises(errors.DamagedPictureError):
        await place.store.get(OURS, digest(b"one"))


async def test_names_settle_when_nobody_can_be_about_to_record_them(place: Place) -> None:
    await keep(place.store, b"one")
    await keep(place.store, b"two", whose=THEIRS)

    assert await settled(place.store) == set()
    assert await settled(place.older(-1)) == {(OURS, digest(b"one")), (THEIRS, digest(b"two"))}


async def test_a_place_that_can_be_used_has_no_trouble(store: Store) -> None:
    assert await store.trouble() is None
    await store.sweep()
