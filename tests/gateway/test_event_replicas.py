"""Events where several gateways share a database, and where one of them stops."""

import asyncio
import contextlib
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from services.gateway.database import listening
from tests.gateway.conftest import Client, Start
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import running
from tests.gateway.test_database import connected
from tests.gateway.watching import (
    Told,
    Watch,
    client_of,
    connection_to,
    on_a_socket,
    patient,
    socket_of,
    ticket,
    told,
    watching,
)

_LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'"
_LOST = text(f"SELECT pg_terminate_backend(pid) {_LISTENERS}")
_PASSWORD = {"DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD}


async def test_whatever_gateway_writes_it_every_gateway_tells_it(
    tmp_path: Path, postgres_url: str
) -> None:
    shared = {"DERMSERVE_GATEWAY_DATABASE_URL": postgres_url, **_PASSWORD}
    async with (
        running(tmp_path, **shared) as one,
        running(tmp_path, **shared) as two,
        client_of(one.url) as here,
        client_of(two.url) as there,
    ):
        async with (
            watching(one.url, here) as of_one,
            socket_of(two.url, await ticket(here)) as of_two,
        ):
            made = [await patient(there, 1), await patient(here, 2)]
            by_one = await of_one.events(2)
            by_two = [await told(of_two), await told(of_two)]
        missed = await patient(here, 3)
        async with watching(two.url, there, by_one[-1].id) as elsewhere:
            rest = await elsewhere.event()

    assert [event.subject for event in by_one] == made
    assert [event["subject_id"] for event in by_two] == made
    assert rest is not None
    assert rest.subject == missed


async def test_who_watches_a_gateway_that_is_killed_goes_on_at_another_one_without_gap_or_double(
    tmp_path: Path, postgres_url: str
) -> None:
    shared = {"DERMSERVE_GATEWAY_DATABASE_URL": postgres_url, **_PASSWORD}
    async with (
        running(tmp_path, **shared) as one,
        running(tmp_path, **shared) as two,
        client_of(one.url) as here,
        client_of(two.url) as there,
    ):
        async with watching(one.url, here) as watch:
            writing = asyncio.create_task(_made(there, 60))
            seen = await watch.events(10)
            one.process.kill()
            seen += await _rest(watch)
        again = f"{await ticket(there)}&last_event_id={seen[-1].id}"
        async with socket_of(two.url, again) as connection:
            made = await writing
            rest = [(await told(connection))["subject_id"] for _ in range(60 - len(seen))]

    assert [each.subject for each in seen] + rest == made


async def _made(client: Client, count: int) -> list[str]:
    return [await patient(client, number) for number in range(count)]


async def _rest(watch: Watch) -> list[Told]:
    """What comes whole before a connection breaks."""
    found: list[Told] = []
    with contextlib.suppress(httpx.TransportError, AssertionError):
        while (event := await watch.event()) is not None:
            found.append(event)
    return found


async def test_another_gateway_hears_at_once_and_need_not_look(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_LOOK_EVERY_S", 3600.0)
    async with (
        start(database_url=postgres_url) as one,
        start(database_url=postgres_url) as other,
        on_a_socket(one) as url,
    ):
        writer = await other.signed_in()
        async with watching(url, writer) as watch:
            # Whoever begins to listen looks once, which may tell the first; nothing but the word of
            # the database tells the second.
            for number in range(2):
                made = await patient(writer, number)
                event = await watch.event()

                assert event is not None
                assert event.subject == made


async def test_a_lost_connection_is_made_anew_and_nothing_is_missed(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each look is a statement, and the operator knows who listens by their last one.
    monkeypatch.setattr(listening, "_LOOK_EVERY_S", 3600.0)
    async with (
        connected(postgres_url) as operator,
        start(database_url=postgres_url) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        async with watching(url, alice) as watch:
            for number in range(3):
                # It may still be on its way back from the last time.
                while not (await operator.execute(_LOST)).scalar():
                    pass
                made = await patient(alice, number)
                event = await watch.event()

                assert event is not None
                assert event.subject == made


async def test_a_gateway_that_is_told_to_stop_waits_for_nobody_who_watches(tmp_path: Path) -> None:
    variables = {**_PASSWORD, "DERMSERVE_GATEWAY_DRAIN_S": "250"}
    loop = asyncio.get_running_loop()
    async with running(tmp_path, **variables) as served, client_of(served.url) as admin:
        stalled = connection_to(served.url)
        head = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\n\r\n"
        await loop.sock_sendall(stalled, head.encode())
        async with (
            watching(served.url, admin) as watch,
            socket_of(served.url, await ticket(admin)) as connection,
        ):
            began = loop.time()
            served.process.terminate()
            end, nothing = await ended(watch)
            of_socket = await told(connection)
            status = await asyncio.wait_for(served.process.wait(), 60)
            took = loop.time() - began
        stalled.close()

    assert end == of_socket == {"kind": "stream.ended", "reason": "shutdown"}
    assert nothing is None
    assert status == 0
    assert took < 60


async def ended(watch: Watch) -> tuple[object, object]:
    """What a stream says last, and what comes after."""
    last, nothing = await watch.event(), await watch.event()
    return last.data if last else None, nothing
