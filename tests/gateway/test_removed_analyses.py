"""Analyses that are removed, and what becomes of their pictures."""

import asyncio
import contextlib
import os
from collections.abc import Iterable
from typing import Any

import pytest

from services.gateway.analyses import Leftovers, Retention
from services.gateway.analyses.leftovers import see_that_all_stay
from services.gateway.boot import open_records
from services.gateway.records import now
from services.gateway.store import Folder
from tests import specimens
from tests.gateway.conftest import Gateway
from tests.gateway.test_analyses import analyzed


async def test_nobody_removes_the_analyses_of_others(either: Gateway) -> None:
    alice = await either.signed_in()
    analysis = await analyzed(alice)
    mallory = await either.signed_in("mallory")

    refused = await mallory("DELETE", f"/v1/analyses/{analysis['id']}")

    assert refused.status_code == 404
    assert (await alice("GET", f"/v1/analyses/{analysis['id']}")).status_code == 200


async def test_a_removed_analysis_is_gone_and_a_purge_takes_its_pictures(either: Gateway) -> None:
    alice = await either.signed_in()
    analysis = await analyzed(alice)
    assert len(either.kept_files()) == 3

    removed = await alice("DELETE", f"/v1/analyses/{analysis['id']}")

    assert removed.status_code == 204
    assert removed.content == b""
    assert len(either.kept_files()) == 3
    assert await either.purge() == 1
    assert either.kept_files() == []
    assert (await alice("GET", f"/v1/analyses/{analysis['id']}")).status_code == 404
    assert (await alice("DELETE", f"/v1/analyses/{analysis['id']}")).status_code == 404


async def test_pictures_that_another_analysis_has_too_outlive_the_first(gateway: Gateway) -> None:
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
    first, second = await analyzed(alice), await analyzed(bob)
    assert len(gateway.kept_files()) == 3

    await alice("DELETE", f"/v1/analyses/{first['id']}")
    await gateway.purge()

    assert len(gateway.kept_files()) == 3
    kept = await bob("GET", f"/v1/analyses/{second['id']}/image")
    assert kept.status_code == 200
    await bob("DELETE", f"/v1/analyses/{second['id']}")
    await gateway.purge()
    assert gateway.kept_files() == []


def let_settle(gateway: Gateway) -> None:
    """Let the pictures be as old as if nobody had been at work with them for an hour."""
    for path in (gateway.settings.data_dir / "pictures").glob("*/??/*"):
        with contextlib.suppress(FileNotFoundError):
            os.utime(path, (0, 0))


async def test_analyses_that_come_and_go_together_never_lose_their_pictures(
    either: Gateway,
) -> None:
    gateway = either
    alice = await gateway.signed_in()

    done, ended = asyncio.Event(), asyncio.Event()

    async def come_and_go(picture: bytes, purges: int) -> None:
        for _ in range(4):
            analysis = await analyzed(alice, picture)
            for _ in range(purges):
                await asyncio.wait_for(ended.wait(), 60)
            kept = await alice("GET", f"/v1/analyses/{analysis['id']}/image")
            assert kept.status_code == 200, kept.text
            await alice("DELETE", f"/v1/analyses/{analysis['id']}")

    async def purge() -> int:
        nonlocal ended
        gone = 0
        while not done.is_set():
            let_settle(gateway)
            gone += await gateway.purge_settled()
            ended.set()
            ended = asyncio.Event()
        return gone

    pictures = [specimens.lesion_jpeg(seed=seed) for seed in (1, 2)]
    async with asyncio.TaskGroup() as together:
        purging = together.create_task(purge())
        # Two purges later, one looked at it from beginning to end.
        goings = [come_and_go(picture, purges) for picture in pictures for purges in (0, 2)]
        await asyncio.gather(*goings)
        done.set()

    assert purging.result() > 0
    await gateway.purge()
    assert gateway.kept_files() == []


async def test_a_picture_that_is_kept_anew_after_a_purge_looked_for_records_of_it_stays(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    first = await analyzed(alice)
    await alice("DELETE", f"/v1/analyses/{first['id']}")
    let_settle(gateway)
    again: list[asyncio.Task[dict[str, Any]]] = []
    published, loop = asyncio.Event(), asyncio.get_running_loop()

    def noted(*given: Any) -> None:
        loop.call_soon_threadsafe(published.set)
        see_that_all_stay(*given)

    monkeypatch.setattr("services.gateway.analyses.files.see_that_all_stay", noted)

    class Late(Folder):
        async def remove(self, organisation_id: str, names: Iterable[str]) -> None:
            if not again:
                again.append(asyncio.create_task(analyzed(alice)))
                await asyncio.wait_for(published.wait(), 60)
            await super().remove(organisation_id, names)

    async with open_records(gateway.settings) as records:
        leftovers = Leftovers(records, Late(gateway.settings.data_dir / "pictures"))
        assert await Retention(records, leftovers).purge(now()) == 1

    picture = await alice("GET", f"/v1/analyses/{(await again[0])['id']}/image")
    assert picture.status_code == 200, picture.text
    assert len(gateway.kept_files()) == 3
