"""Several processes behind one address: they serve, are replaced, and end together."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import httpx
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from services.gateway.exposition import merged
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import Running, boot, running

TWO = {
    "DERMSERVE_GATEWAY_WORKERS": "2",
    "DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
    "DERMSERVE_GATEWAY_JOB_WORKERS": "1",
}


def workers(served: Running) -> set[int]:
    """The processes that a gateway has started."""
    pid = served.process.pid
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    return False


async def becomes(true: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(120):
        while not await true():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.05)


def client(served: Running) -> httpx.AsyncClient:
    """Whoever asks, over a connection of their own."""
    return httpx.AsyncClient(base_url=served.url, timeout=60)


async def shown(served: Running) -> set[str]:
    """The workers whose figures are shown."""
    async with client(served) as http:
        text = (await http.get("/metrics")).text
    return set(re.findall(r'process_resident_memory_bytes{worker="(\d)"} [\d.e+]+', text))


async def both_are_shown(served: Running) -> bool:
    return await shown(served) == {"1", "2"}


async def replaced(served: Running, before: set[int]) -> bool:
    """Say whether there are two again, and both are asked for their figures."""
    now = workers(served)
    return len(now) == 2 and min(before) not in now and await both_are_shown(served)


async def ended(pids: set[int]) -> bool:
    return not any(map(lives, pids))


async def test_two_workers_serve_as_one_gateway_and_one_that_dies_is_replaced(
    tmp_path: Path, database_url: str
) -> None:
    changes = {**TWO, "DERMSERVE_GATEWAY_DATABASE_URL": database_url}
    async with running(tmp_path / "data", **changes) as served:
        async with client(served) as http:
            form = {"username": "admin", "password": ADMIN_PASSWORD}
            signed_in = await http.post("/v1/auth/token", data=form)
        token = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
        before = workers(served)
        assert len(before) == 2
        # One that is slow to say them is left out for once.
        await becomes(partial(both_are_shown, served))

        os.kill(min(before), signal.SIGKILL)
        # Whoever comes meanwhile is served by the other.
        for _ in range(20):
            async with client(served) as http:
                assert (await http.get("/v1/me", headers=token)).status_code == 200
        await becomes(partial(replaced, served, before))

        served.process.terminate()
        assert await asyncio.wait_for(served.process.wait(), 40) == 0
        assert not any(map(lives, before))
    assert sum("a worker ended and is replaced" in line for line in served.written) == 1
    assert sum("gateway has stopped" in line for line in served.written) == 1


async def test_workers_end_when_nobody_is_there_any_more_who_would_end_them(
    tmp_path: Path,
) -> None:
    async with running(tmp_path / "data", **TWO) as served:
        left = workers(served)
        served.process.kill()
        await becomes(partial(ended, left))
        # They had it, too.
        assert served.process.stdout is not None
        await served.process.stdout.read()

    assert len(left) == 2


async def test_what_is_wrong_at_boot_is_said_once(tmp_path: Path) -> None:
    nowhere = {"DERMSERVE_GATEWAY_DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'such' / 'x.db'}"}
    process = await boot(tmp_path / "data", **TWO, **nowhere)
    _, written = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 2
    assert written.decode().count("gateway cannot start") == 1


def test_figures_of_several_workers_are_one_exposition() -> None:
    texts = {}
    for number in ("1", "2"):
        registry = CollectorRegistry()
        counted = Counter("things", "Of {any} kind.", ["kind"], registry=registry)
        counted.labels('a "quoted" {one}').inc(int(number))
        Gauge("height", "Without labels.", registry=registry).set(int(number))
        texts[number] = generate_latest(registry).decode()

    families = {f.name: f for f in text_string_to_metric_families(merged(texts))}

    assert families.keys() >= {"things", "height"}
    assert [s.labels for s in families["height"].samples] == [{"worker": "1"}, {"worker": "2"}]
    totals = [s for s in families["things"].samples if s.name == "things_total"]
    assert [(s.labels["worker"], s.value) for s in totals] == [("1", 1.0), ("2", 2.0)]
    assert {s.labels["kind"] for s in totals} == {'a "quoted" {one}'}
