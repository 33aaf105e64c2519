"""How long a picture waits that inference has too much to do for."""

from typing import Any

import grpc
import pytest
from sqlalchemy import update

from services import rpc
from services.gateway.boot import open_records
from services.gateway.jobs import Queue
from services.gateway.jobs.held import Held
from services.gateway.records import Job
from tests.gateway.conftest import Start
from tests.gateway.counterparts import assessed
from tests.gateway.test_jobs import finished, submitted

PUSHBACK = ((rpc.PUSHBACK_TRAILER, "20"),)


async def test_what_the_store_was_waited_for_does_not_make_a_refusal_wait_longer(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start(database_url=database_url, job_workers=0) as idle:
        alice = await idle.signed_in()
        path = await submitted(alice)
        often = update(Job).values(deferrals=200)
        async with open_records(idle.settings) as records:
            await records.write(lambda session: session.execute(often))

    delays, refusals, give_back = list[float](), 3, Queue.give_back

    async def given_back(self: Queue, held: Held, delay_s: float = 0) -> None:
        delays.append(delay_s)
        await give_back(self, held, delay_s)

    async def refused_at_first(_: object, context: Any) -> object:
        if len(delays) < refusals:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full", PUSHBACK)
        return assessed()

    monkeypatch.setattr(Queue, "give_back", given_back)
    async with start(database_url=database_url) as working:
        monkeypatch.setattr(working.inference, "respond", refused_at_first)
        alice.http = working.http
        assert (await finished(alice, path))["status"] == "succeeded"

    assert delays == pytest.approx([0.02, 0.04, 0.06])
