"""Connections to the database: none is held by whoever waits for inference."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import httpx

from services.gateway.database.postgresql import CONNECTIONS
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_jobs import LATER
from tests.gateway.watching import PATIENCE_S, patient

PICTURE = specimens.lesion_jpeg((64, 48))
WAITING = CONNECTIONS + 1


async def test_no_database_connection_is_held_while_inference_works(
    start: Start, database_url: str
) -> None:
    """More wait at once than there are connections, in each way, and others still get through."""
    settings = {"analysis_timeout_s": 600, "job_workers": WAITING}
    async with start(database_url=database_url, **settings) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        analyzed = (await alice.analyze(PICTURE)).headers["Location"]
        picture = {"content": PICTURE, "headers": LATER | {"Content-Type": "image/jpeg"}}
        for number, way in enumerate(
            (
                partial(alice.analyze, PICTURE),
                partial(alice, "POST", f"{analyzed}/replay"),
                partial(alice, "POST", "/v1/analyses", **picture),
            )
        ):
            await _others_get_through(gateway, way, bob, number)


async def _others_get_through(
    gateway: Gateway, way: Callable[[], Awaitable[httpx.Response]], other: Client, number: int
) -> None:
    """Have many wait for inference, and somebody else read and write meanwhile."""
    gateway.inference.may_answer.clear()
    before = len(gateway.inference.requests)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as waiting:
        asked = [waiting.create_task(_status(way)) for _ in range(WAITING)]
        await gateway.inference.arrived(before + WAITING)

        await patient(other, number)
        listed = await other("GET", "/v1/patients")

        gateway.inference.may_answer.set()
    assert len(listed.json()["items"]) == number + 1
    assert {each.result() for each in asked} <= {200, 201, 202}


async def _status(way: Callable[[], Awaitable[httpx.Response]]) -> int:
    return (await way()).status_code
