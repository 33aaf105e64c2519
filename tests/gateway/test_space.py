"""A disk that is nearly full: nothing new is taken, and all that is there can be used."""

import os
import re
import subprocess
from collections.abc import Iterator
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
    start: Start, disk: Path, tmp_path: Path
) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    settings = {"min_free_bytes": 8 * MIB, "min_free_percent": 0, "database_url": elsewhere}
    async with start(**settings, DERMSERVE_DATA_DIR=disk) as gateway:
        alice = await gateway.signed_in()
        where = (await alice.analyze(PICTURES[0])).headers["Location"]
        asked = len(gateway.inference.requests)

        leave(disk, 8 * MIB - 4096)

        assert await is_refused(alice)
        later = await alice(
            "POST",
            "/v1/analyses",
            content=PICTURES[1],
            headers={"Content-Type": "image/jpeg", "Prefer": "respond-async"},
        )
        assert later.status_code == 507
        assert len(gateway.inference.requests) == asked
        for path in (where, f"{where}/image", "/v1/analyses", "/v1/usage"):
            assert (await alice("GET", path)).status_code == 200
        ready = await gateway.http.get("/readyz")
        assert ready.status_code == 200
        assert ready.json()["status"] == "degraded"
        assert ready.json()["checks"]["space"] == "nearly full"
        assert await figure(gateway, "gateway_refuses_for_space") == 1
        assert await figure(gateway, 'gateway_least_free_bytes{disk="pictures"}') == 8 * MIB
        assert await figure(gateway, 'gateway_free_bytes{disk="pictures"}') < 8 * MIB
        assert (await alice("DELETE", where)).status_code == 204
        assert await gateway.purge() == 1

        # Not in turns: a little more room does not let anything in, a tenth more does.
        leave(disk, 8 * MIB + 8192)
        assert await is_refused(alice)
        leave(disk, 9 * MIB)
        assert not await is_refused(alice)
        leave(disk, 8 * MIB + 8192)
        assert not await is_refused(alice)
        assert await figure(gateway, "gateway_refuses_for_space") == 0


async def test_a_disk_that_is_full_is_no_fault_of_ours_and_keeps_no_half_of_anything(
    start: Start, disk: Path, tmp_path: Path
) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    settings = {"min_free_bytes": 0, "min_free_percent": 0, "database_url": elsewhere}
    async with start(**settings, DERMSERVE_DATA_DIR=disk) as gateway:
        alice = await gateway.signed_in()
        leave(disk, 0)

        assert await is_refused(alice)

        assert gateway.kept_files() == []
        (disk / "filler").unlink()
        assert not await is_refused(alice)


def noise(count: int) -> list[bytes]:
    """Pictures of two thirds of a mebibyte each."""
    drawn = (Image.effect_noise((850, 850), 60 + each) for each in range(count))
    return [specimens.encoded(each.convert("RGB"), "PNG") for each in drawn]


@pytest.mark.parametrize("packed", [False, True])
async def test_a_batch_that_fills_the_disk_is_refused_and_leaves_nothing(
    start: Start,
    disk: Path,
    tmp_path: Path,
    packed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    elsewhere = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    # An archive meets the end of the disk itself, a form the watermark.
    settings = {"min_free_bytes": 0 if packed else 2 * MIB, "min_free_percent": 0}
    async with start(**settings, database_url=elsewhere, DERMSERVE_DATA_DIR=disk) as gateway:
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


async def test_a_share_of_the_disk_counts_where_it_is_more(start: Start) -> None:
    async with start(min_free_bytes=1, min_free_percent=90) as gateway:
        found = os.statvfs(gateway.settings.data_dir)
        if found.f_bavail > 0.9 * found.f_blocks:
            pytest.skip("this disk is nearly empty")
        alice = await gateway.signed_in()

        assert await is_refused(alice)

        for name in ("pictures", "database"):
            assert await figure(gateway, f'gateway_free_bytes{{disk="{name}"}}') > 0
