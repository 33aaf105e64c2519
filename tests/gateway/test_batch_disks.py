"""A disk in trouble while the pictures of a batch are read."""

import asyncio
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.gateway import space
from services.gateway.batches import reading
from services.gateway.batches.reading import Reading
from services.gateway.metrics import Metrics
from services.gateway.store import CHANGED_WITHIN_S
from tests import specimens
from tests.gateway.clocks import pass_time
from tests.gateway.conftest import Gateway
from tests.gateway.test_batches import sent


async def test_who_leaves_while_the_disk_of_an_archive_hangs_is_gone_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, closing, back = asyncio.Event(), threading.Event(), threading.Event()

    class Hanging:
        def close(self) -> None:
            closing.set()
            back.wait(120)

    async def receive() -> Message:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def read() -> None:
        room = space.Space({}, space.Watermark(0, 0), Metrics())
        scope = {"type": "http", "headers": [(b"content-type", b"application/zip")]}
        async for _ in Reading(tmp_path, room, 9, 9999, 9999).files(Request(scope, receive)):
            pass

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Hanging())
    leaving = asyncio.create_task(read())
    await asyncio.wait_for(asked.wait(), 60)
    leaving.cancel()
    assert await asyncio.to_thread(closing.wait, 60)
    pass_time(reading._CLOSED_WITHIN_S)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(leaving, 15)
    back.set()


async def test_no_disk_is_blamed_for_pictures_that_take_long_to_be_known_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    begun, go_on, known = threading.Event(), threading.Event(), reading._of

    def slow(content: Any) -> bytes:
        begun.set()
        go_on.wait(120)
        return known(content)

    monkeypatch.setattr(reading, "_of", slow)
    sending = asyncio.create_task(sent(alice, specimens.lesion_jpeg()))
    assert await asyncio.to_thread(begun.wait, 60)
    pass_time(CHANGED_WITHIN_S)
    await alice("GET", "/v1/analyses")
    go_on.set()

    assert (await sending).status_code == 202
