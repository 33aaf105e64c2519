"""A picture that inference cannot take costs no other picture its analysis."""

import asyncio
import contextlib
import io
from typing import Any

import grpc
import pytest
from PIL import Image

from services.gateway.jobs import Workers
from services.gateway.jobs.backoff import Backoff
from tests import specimens
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import assessed
from tests.gateway.test_batches import analyses, finished, sent

WIDTHS = [80, 90, 100, 110]
PICTURES = [specimens.encoded(specimens.lesion((width, 80))) for width in WIDTHS]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any wait before another try."""
    monkeypatch.setattr(Backoff, "after", lambda *_: 0.001)
    monkeypatch.setattr(Workers, "_rest", lambda *_: None)


def width(request: Any) -> int:
    with Image.open(io.BytesIO(request.image)) as picture:
        return picture.width


class Mortal:
    """Dies of pictures of one width, with all that it has in work."""

    def __init__(self, deadly: int) -> None:
        self._deadly = deadly
        self._come = 0
        self._all_there = asyncio.Event()
        self._dead = asyncio.Event()

    async def respond(self, request: Any, context: Any) -> Any:
        dead = self._dead
        self._come += 1
        if self._come == len(PICTURES):
            self._all_there.set()
        await self._all_there.wait()
        # As long as it takes to die, and to answer.
        deadly = width(request) == self._deadly
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(dead.wait(), 0.05 if deadly else 0.2)
        if deadly:
            dead.set()
            self._dead = asyncio.Event()
        if dead.is_set():
            await context.abort(grpc.StatusCode.UNAVAILABLE, "killed")
        return assessed()


async def test_who_is_in_work_beside_a_picture_that_kills_inference_is_not_given_up(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    monkeypatch.setattr(either.inference, "respond", Mortal(WIDTHS[3]).respond)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    done = await finished(alice, path)

    assert (done["succeeded"], done["failed"]) == (3, 1)
    assert list(await analyses(alice, path, status="failed")) == ["3.jpg"]


async def test_a_slow_spell_costs_no_picture_its_analysis(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    slow = (grpc.StatusCode.DEADLINE_EXCEEDED, "slow")
    monkeypatch.setattr(either.inference, "failure", slow)

    path = (await sent(alice, *PICTURES)).headers["Location"]
    async with asyncio.timeout(60):
        await either.inference.arrived(40)
    either.inference.failure = None

    assert (await finished(alice, path))["succeeded"] == len(PICTURES)
