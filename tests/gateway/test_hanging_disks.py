"""Disks that say nothing, or nothing of use, when they are asked: it is told in time."""

import errno
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway import space
from services.gateway.store import folder
from tests.gateway.conftest import Gateway

SOON_S = 0.05


@pytest.fixture
def hanging() -> Iterator[Any]:
    """A disk that answers when the test is over, as a server that is away for an hour does."""
    back = threading.Event()

    def hangs(*_: object) -> None:
        back.wait(120)

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
