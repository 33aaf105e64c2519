"""Batches, as a program sends them and waits for them."""

import asyncio
from pathlib import Path
from typing import IO

import pytest

from dermserve_client import Client, Password, ProblemError, UnreachableError
from tests import specimens
from tests.client import proxy
from tests.client.conftest import ADMIN
from tests.gateway.processes import Running
from tests.ports import free_port

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, Path]:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(specimens.lesion_jpeg((64, 48)))
    bad.write_bytes(b"not a picture")
    return {"ward/good.jpg": good, "again.jpg": good, "bad.jpg": bad}


async def test_a_batch_is_sent_and_watched_until_each_picture_has_its_result(
    gateway: Running, pictures: dict[str, Path]
) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            sent = client.batches.create(pictures, note="a note")
            *_, finished = client.batches.watch(sent.id)
            assert (finished.pictures, finished.succeeded, finished.failed) == (3, 2, 1)
            found = {each.file_name: each for each in client.analyses.list(batch=sent.id)}
            assert found.keys() == pictures.keys()
            assert {name: each.status for name, each in found.items()} == {
                "ward/good.jpg": "succeeded",
                "again.jpg": "succeeded",
                "bad.jpg": "failed",
            }
            assert found["again.jpg"].note == "a note"
            assert client.batches.cancel(sent.id) == finished
            assert next(client.batches.list()) == finished
            client.batches.remove(sent.id)
            with pytest.raises(ProblemError):
                client.batches.get(sent.id)

    await asyncio.to_thread(work)


async def test_more_pictures_are_sent_than_files_may_be_open(
    gateway: Running, pictures: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files: list[IO[bytes]] = []
    really = Path.open

    def alone(path: Path, mode: str) -> IO[bytes]:
        assert all(file.closed for file in files)
        files.append(really(path, mode))
        return files[-1]

    monkeypatch.setattr(Path, "open", alone)

    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            many = {f"{number}.jpg": pictures["again.jpg"] for number in range(20)}
            made = client.batches.create(many)
            assert made.pictures == 20
            # What becomes of them would be told to other tests.
            *_, finished = client.batches.watch(made.id)
            assert finished.succeeded == 20

    await asyncio.to_thread(work)
    assert len(files) == 20


async def test_a_batch_is_made_once_and_watched_on_though_the_line_breaks(
    gateway: Running, pictures: dict[str, Path]
) -> None:
    def work(url: str) -> None:
        with Client(url, Password(*ADMIN)) as client:
            client.me()
            before = {each.id for each in client.batches.list()}
            between.loses = 1
            sent = client.batches.create(pictures)
            assert {each.id for each in client.batches.list()} - before == {sent.id}
            between.loses = 6  # more than one request is sent again
            *_, finished = client.batches.watch(sent.id)
            assert finished.finished
            assert between.loses == 0

    async with proxy.before(gateway.port) as between:
        await asyncio.to_thread(work, between.url)


async def test_nobody_waits_for_ever_for_a_gateway_that_is_away() -> None:
    def work() -> None:
        with Client(f"http://127.0.0.1:{free_port()}", tries=1) as client:
            watching = client.batches.watch("0" * 32, patience_s=0.2)
            with pytest.raises(UnreachableError):
                next(watching)

    await asyncio.to_thread(work)
