"""What was answered is let go at once: not when the garbage collector happens to come by."""

import asyncio
import gc
import math
import weakref
from collections.abc import Iterator, Sequence

import pytest

from services.inference.batcher import Batcher
from services.inference.priority import Urgency
from services.inference.runners import Runners
from tests.inference.hardware import Tally
from tests.virtual_time import play


class Picture:
    """Something large."""


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("end", ["answered", "failed", "expired", "left", "late"])
def test_nothing_keeps_a_picture_after_its_caller_was_answered(end: str) -> None:
    async def run(rows: Sequence[Picture]) -> list[int]:
        await asyncio.sleep(1)
        if end == "failed":
            raise RuntimeError(f"no luck with {rows}")
        return [7] * len(rows)

    async def ask(batcher: Batcher[Picture, int]) -> "weakref.ref[Picture]":
        blocker = asyncio.create_task(batcher.submit(Picture()))
        picture = Picture()
        deadline = {"expired": 1.5, "late": 0.5}.get(end, math.inf)
        asked = asyncio.create_task(batcher.submit(picture, Urgency(deadline)))
        await asyncio.sleep(0.25)
        if end == "left":
            asked.cancel()
        await asyncio.wait([asked, blocker])
        _ = [each.cancelled() or each.exception() for each in (asked, blocker)]
        return weakref.ref(picture)

    async def scene() -> None:
        batcher = Batcher(run, Runners(1), Tally(), max_batch_size=1)
        kept = await ask(batcher)
        assert kept() is None
        await batcher.close()

    play(scene())
