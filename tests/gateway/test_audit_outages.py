"""The audit while a database server ends its connections: chains hold, and tell of each change."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.gateway.audited import findings, rows
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_patients import listed

CALLERS = 4
EACH = 25
_EVERY_S = 0.02
_END = text(
    "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@contextlib.asynccontextmanager
async def connections_ended(url: str) -> AsyncIterator[list[int]]:
    """Have the server end whatever connections there are, again and again; yields which."""
    engine = create_async_engine(url)
    ended: list[int] = []
    over = asyncio.Event()

    async def end() -> None:
        async with engine.connect() as connection:
            while not over.is_set():
                ended.extend(await connection.scalars(_END))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), _EVERY_S)

    ending = asyncio.create_task(end())
    try:
        yield ended
    finally:
        over.set()
        await ending
        await engine.dispose()


async def asked(by: Client, caller: int) -> dict[str, int]:
    """Make patients, one after the other; return each answer's status by the request's id."""
    statuses = {}
    for number in range(EACH):
        name = f"{caller}-{number}"
        answer = await by(
            "POST", "/v1/patients", json={"identifier": name}, headers={"X-Request-Id": name}
        )
        statuses[name] = answer.status_code
    return statuses


async def outcomes(gateway: Gateway) -> dict[str, list[str]]:
    found = defaultdict(list)
    for row in await rows(gateway, action="patients.create"):
        found[row["request_id"]].append(row["outcome"])
    return found


async def test_a_server_that_ends_connections_breaks_no_chain_and_hides_no_change(
    start: Start, postgres_url: str
) -> None:
    async with start(database_url=postgres_url) as gateway:
        alice = await gateway.signed_in()
        async with connections_ended(postgres_url) as ended:
            some = await asyncio.gather(*(asked(alice, caller) for caller in range(CALLERS)))
        statuses = {name: status for each in some for name, status in each.items()}
        told = await outcomes(gateway)
        patients = await listed(alice, "/v1/patients", limit="100")

        assert len(ended) > CALLERS
        assert set(statuses.values()) <= {201, 503}
        for name, status in statuses.items():
            assert status == 503 or told[name] == ["begun", "done"], name
        # What was answered with a 503 may be made all the same, and then a row says that it was
        # begun.
        begun = sum(outcomes_of.count("begun") for outcomes_of in told.values())
        assert list(statuses.values()).count(201) <= len(patients) <= begun
        assert await findings(gateway) == []
