"""The store is in trouble, and many pictures wait for it."""

import errno
from pathlib import Path

import pytest

from services.gateway import composition
from services.gateway.jobs import Backoff, Queue, attempt
from services.gateway.jobs.held import Held
from services.gateway.store import folder
from tests.gateway.conftest import Start
from tests.gateway.test_batches import finished, sent
from tests.gateway.test_suspects import PICTURES


async def test_of_more_pictures_than_are_remembered_each_waits_ever_longer_too(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_s, most, delays = 0.01, 2, list[float]()
    monkeypatch.setattr(composition, "_AT_FAULT", Backoff(first_s=first_s, longest_s=300))
    monkeypatch.setattr(attempt, "_MOST_TROUBLED", most)
    read, give_back = folder._read, Queue.give_back
    troubles = [OSError(errno.EIO, "") for _ in range(12)]

    def broken(path: Path) -> bytes:
        if troubles:
            raise troubles.pop()
        return read(path)

    async def given_back(self: Queue, held: Held, delay_s: float) -> None:
        delays.append(delay_s)
        await give_back(self, held, delay_s)

    monkeypatch.setattr(Queue, "give_back", given_back)
    async with start() as gateway:
        alice = await gateway.signed_in()
        monkeypatch.setattr(folder, "_read", broken)
        path = (await sent(alice, *PICTURES)).headers["Location"]
        assert (await finished(alice, path))["succeeded"] == len(PICTURES) > most

    # As after so many rounds of as many as are remembered.
    assert max(delays) >= first_s * 2 ** (12 // most - 1)
