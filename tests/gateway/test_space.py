"""A disk that is nearly full: nothing new is taken, and all that is there can be used."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from PIL import Image

from services.gateway import space
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_batches import sent, sent_zip, zipped
from tests.gateway.test_storage_quotas import PICTURES

MIB = 1024**2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of sixteen MiB, for the pictures."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if made.returncode != 0:
        pytest.skip("a disk can be made by an administrator only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@dataclass
class Level:
    """The room that disks must have, as a test sets it beside what is free."""

    folder: Path
    least: float = 0

    def demand(self, share: float) -> None:
        """Have so many times the room that is free now be the least."""
        self.least = shutil.disk_usage(self.folder).free * share


@pytest.fixture
def level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Level:
    """A watermark that moves, so that no disk has to."""
    moving = Level(tmp_path)
    monkeypatch.setattr(space.Watermark, "of", lambda *_: moving.least)
    return moving


@pytest.fixture(autouse=True)
def always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "_LOOK_EVERY_S", 0)


def leave(disk: Path, free: int) -> None:
    """Fill a disk until so much is free."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    found = os.statvfs(disk)
    filler.write_bytes(bytes(found.f_bavail * found.f_frsize - free))


async def figure(gateway: Gateway, name: str) -> float:
    text = (await gateway.http.get("/metrics")).text
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, text
    return float(found[1])


async def is_refused(client: Client) -> bool:
    answer = await client.analyze(PICTURES[1])
    refused = answer.status_code == 507
    assert refused == (answer.status_code != 201), answer.text
    assert not refused or answer.json()["type"] == "/docs/problems#insufficient-storage"
    return refused


async def test_a_disk_that_is_nearly_full_refuses_what_is_new_and_nothing_else(
    either: Gateway, level: Level
) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze(PICTURES[0])).headers["Location"]
    asked = len(either.inference.requests)

    level.demand(1.5)

    assert await is_refused(alice)
    later = await alice(
        "POST",
        "/v1/analyses",
        content=PICTURES[1],
        headers={"Content-Type": "image/jpeg", "Prefer": "respond-async"},
    )
    assert later.status_code == 507
    assert (await sent(alice, *PICTURES[1:3])).status_code == 507
    assert len(either.inference.requests) == asked
    for path in (where, f"{where}/image", "/v1/analyses", "/v1/usage"):
        assert (await alice("GET", path)).status_code == 200
    ready = await either.http.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "degraded"
    assert ready.json()["checks"]["space"] == "nearly full"
    assert await figure(either, "gateway_refuses_for_space") == 1
    assert await figure(either, 'gateway_least_free_bytes{disk="pictures"}') == level.least
    assert 0 < await figure(either, 'gateway_free_bytes{disk="pictures"}') < level.least
    assert (await alice("DELETE", where)).status_code == 204
    assert await either.purge() == 1


async def test_a_little_more_room_lets_nothing_in_and_a_tenth_more_does(
    either: Gateway, level: Level
) -> None:
    alice = await either.signed_in()
    level.demand(1.5)
    assert await is_refused(alice)

    # Not in turns. What others write to this disk meanwhile is far less than a part in thirty.
    level.demand(0.96)
    assert await is_refused(alice)
    level.demand(0.8)
    assert not await is_refused(alice)
    level.demand(0.96)
    assert not await is_refused(alice)
    assert await figure(either, "gateway_refuses_for_space") == 0


async def test_a_disk_that_is_full_is_no_fault_of_ours_and_keeps_no_half_of_anything(
    start: Start, disk: Path, database_url: str
) -> None:
    settings = {"min_free_bytes": 0, "min_free_percent": 0, "database_url": database_url}
    async with start(**settings, DERMSERVE_DATA_DIR=disk) as gateway:
        alice = await gateway.signed_in()
        leave(disk, 0)

        assert await is_refused(alice)

        assert gateway.kept_files() == []
        (disk / "filler").unlink()
        assert not await is_refused(alice)


@cache
def noise(count: int) -> list[bytes]:
    """Pictures of two thirds of a mebibyte each."""
    drawn = (Image.effect_noise((850, 850), 60 + each) for each in range(count))
    return [specimens.encoded(each.convert("RGB"), "PNG") for each in drawn]


@pytest.mark.parametrize("packed", [False, True])
async def test_a_batch_that_fills_the_disk_is_refused_and_leaves_nothing(
    start: Start,
    disk: Path,
    database_url: str,
    packed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    # An archive meets the end of the disk itself, a form the watermark.
    settings = {"min_free_bytes": 0 if packed else 2 * MIB, "min_free_percent": 0}
    async with start(**settings, database_url=database_url, DERMSERVE_DATA_DIR=disk) as gateway:
        alice = await gateway.signed_in()
        leave(disk, 2 * MIB + MIB // 4)

        if packed:
            files = {f"{n}.png": each for n, each in enumerate(noise(4))}
            answer = await sent_zip(alice, zipped(files))
        else:
            answer = await sent(alice, *noise(4))

        assert answer.status_code == 507, answer.text
        assert answer.json()["type"] == "/docs/problems#insufficient-storage"
        assert gateway.kept_files() == []
        assert (await alice("GET", "/v1/usage")).json()["user"]["pictures"] == 0
        assert (await alice("GET", "/v1/analyses")).json()["items"] == []
        (disk / "filler").unlink()
        assert (await sent(alice, *PICTURES[:2])).status_code == 202


@pytest.mark.parametrize("percent", [0, 90])
async def test_of_bytes_and_a_share_of_the_disk_that_counts_which_is_more(
    start: Start, percent: int
) -> None:
    async with start(min_free_bytes=MIB, min_free_percent=percent) as gateway:
        total = shutil.disk_usage(gateway.settings.data_dir).total
        refused = await is_refused(await gateway.signed_in())

        for name in ("pictures", "database"):
            least = await figure(gateway, f'gateway_least_free_bytes{{disk="{name}"}}')
            assert least == max(MIB, total * percent / 100)
        assert refused == (await figure(gateway, 'gateway_free_bytes{disk="pictures"}') < least)
