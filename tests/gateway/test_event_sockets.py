"""Events over WebSocket: for whoever has a ticket, once, on a page that may have one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response

from services.gateway.boot import open_records
from services.gateway.records import StreamTicket, now
from tests.gateway.conftest import PASSWORD, Client, Gateway, Served, Start
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import running
from tests.gateway.test_quota import Counting
from tests.gateway.watching import (
    PATIENCE_S,
    client_of,
    connection_to,
    dropped,
    flood,
    on_a_socket,
    patient,
    socket_of,
    ticket,
    told,
)


async def refused(url: str, of: str, **options: Any) -> Response:
    """The answer to a WebSocket that is refused."""
    with pytest.raises(InvalidStatus) as no:
        async with socket_of(url, of, **options):
            pass
    return no.value.response


async def refusal(url: str, of: str, **options: Any) -> tuple[int, dict[str, Any]]:
    """Status and problem of a WebSocket that is refused."""
    answer = await refused(url, of, **options)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    return answer.status_code, json.loads(answer.body or b"")


async def drained(connection: Any) -> None:
    """Take messages for as long as there are any."""
    while True:
        await connection.recv()


async def closed(connection: Any) -> tuple[int, str]:
    """Code and reason with which a WebSocket is closed."""
    with pytest.raises(ConnectionClosed) as end:
        await asyncio.wait_for(drained(connection), PATIENCE_S)
    assert end.value.rcvd is not None
    return end.value.rcvd.code, end.value.rcvd.reason


async def test_a_page_with_a_ticket_is_told_what_happens(served: Served) -> None:
    alice = await served.gateway.signed_in()

    async with socket_of(served.url, await ticket(alice)) as connection:
        made = await patient(alice)
        event = await told(connection)

    assert event.keys() == {"id", "kind", "subject_id", "created_at"}
    assert (event["kind"], event["subject_id"]) == ("patient.created", made)

    more = await patient(alice, 2)
    back = f"{await ticket(alice)}&last_event_id={event['id']}"
    async with socket_of(served.url, back) as connection:
        assert (await told(connection))["subject_id"] == more
    lost = f"{await ticket(alice)}&last_event_id={'1' * 32}"
    async with socket_of(served.url, lost) as connection:
        assert await told(connection) == {"kind": "stream.missed"}


async def test_parameters_that_there_are_not_or_are_there_twice_are_refused(
    served: Served,
) -> None:
    alice = await served.gateway.signed_in()
    good = await ticket(alice)

    for more, field in (("surprise=1", "query.surprise"), ("ticket=x", "query.ticket")):
        status, told_of = await refusal(served.url, f"{good}&{more}")
        assert (status, told_of["errors"][0]["field"]) == (422, field)

    async with socket_of(served.url, good):
        """What was refused has not used the ticket up."""


async def test_a_ticket_is_good_once_and_for_seconds(served: Served) -> None:
    alice = await served.gateway.signed_in()
    used, old = await ticket(alice), await ticket(alice)
    async with open_records(served.gateway.settings) as records:
        kept = await records.read(lambda session: list(session.scalars(select(StreamTicket))))
        assert not {used, old} & {each.digest for each in kept}
        async with socket_of(served.url, used):
            pass
        ageing = update(StreamTicket).values(expires_at=now())
        await records.write(lambda session: session.execute(ageing))

    for bad in (used, old, "", "x" * 43, alice.token or ""):
        status, problem = await refusal(served.url, bad)
        assert status == 401
        assert problem["type"] == "/docs/problems#unauthenticated"


async def test_a_bad_ticket_costs_no_write_and_nonsense_not_even_a_look(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = served.gateway.parts.tickets
    counting = Counting(tickets._database)
    monkeypatch.setattr(tickets, "_database", counting)

    for nonsense in (
        "",
        "x",
        "x" * 42,
        "x" * 44,
        "x" * 42 + "%2B",
        "x" * 42 + "%C3%BC",
        "%00" * 43,
    ):
        assert (await refusal(served.url, nonsense))[0] == 401
    assert counting.reads == 0
    assert (await refusal(served.url, "x" * 43))[0] == 401
    assert (counting.reads, counting.writes) == (1, 0)


async def test_of_many_who_come_with_one_ticket_one_is_let_in(served: Served) -> None:
    one = await ticket(await served.gateway.signed_in())

    async def tried() -> int:
        try:
            async with socket_of(served.url, one):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert sorted(await asyncio.gather(*(tried() for _ in range(5)))) == [101, 401, 401, 401, 401]


async def test_a_ticket_of_a_sign_in_that_has_ended_is_no_good(served: Served) -> None:
    alice = await served.gateway.signed_in()
    late = await ticket(alice)
    await alice("POST", "/v1/auth/logout")

    assert (await refusal(served.url, late))[0] == 401


async def test_an_api_key_gets_no_ticket(either: Gateway) -> None:
    admin = await either.admin()
    service = {"username": "bridge", "password": PASSWORD, "role": "service"}
    service_id = (await admin("POST", "/v1/users", json=service)).json()["id"]
    new = {"user_id": service_id, "name": "bridge", "permissions": ["records:read"]}
    key = (await admin("POST", "/v1/api-keys", json=new)).json()["key"]

    answer = await Client(either.http, key)("POST", "/v1/events/tickets")

    assert answer.status_code == 403


async def test_only_our_own_pages_and_those_that_are_named_may_watch(
    start: Start, database_url: str
) -> None:
    named = "https://desk.example"
    async with (
        start(database_url=database_url, cors_origins=named) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        for origin in (None, url, named):
            async with socket_of(url, await ticket(alice), origin=origin):
                pass
        for origin in ("https://evil.example", f"{named}.evil.example", "null", "https://"):
            still_good = await ticket(alice)
            status, _ = await refusal(url, still_good, origin=origin)
            assert status == 403
            async with socket_of(url, still_good):
                pass


async def test_a_socket_ends_with_its_sign_in_and_with_the_gateway(served: Served) -> None:
    alice, bob = await served.gateway.signed_in(), await served.gateway.signed_in("bob")
    async with (
        socket_of(served.url, await ticket(alice)) as of_alice,
        socket_of(served.url, await ticket(bob)) as of_bob,
    ):
        await alice("POST", "/v1/auth/logout")
        assert await told(of_alice) == {"kind": "stream.ended", "reason": "signed_out"}
        assert await closed(of_alice) == (1008, "signed_out")
        served.gateway.parts.streams.close()
        assert await told(of_bob) == {"kind": "stream.ended", "reason": "shutdown"}
        assert await closed(of_bob) == (1012, "shutdown")


async def test_a_client_that_says_something_is_sent_away(served: Served) -> None:
    alice = await served.gateway.signed_in()
    async with socket_of(served.url, await ticket(alice)) as connection:
        await connection.send("hello")
        assert await closed(connection) == (1003, "nothing is expected")
    async with socket_of(served.url, await ticket(alice)) as connection:
        await connection.send("x" * 2000)
        assert (await closed(connection))[0] == 1009


async def test_a_socket_whose_client_takes_nothing_is_cut(start: Start, database_url: str) -> None:
    async with (
        start(database_url=database_url, event_patience_s=0.3) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        slow = connection_to(url)
        of = await ticket(alice)
        async with socket_of(url, of, sock=slow, max_queue=1) as connection:
            await flood(gateway, alice, 4000)
            await dropped(gateway, "websocket")
            with pytest.raises(ConnectionClosed):
                await drained(connection)
        watching = gateway.parts.metrics.streams("websocket")
        async with asyncio.timeout(PATIENCE_S):
            while watching._value.get():  # noqa: ASYNC110 - a gauge tells nobody
                await asyncio.sleep(0.02)


@pytest.mark.usefixtures("quotas_are_counted")
async def test_tries_without_a_ticket_count_against_their_address(start: Start) -> None:
    async with start(address_quota=5) as gateway, on_a_socket(gateway) as url:
        statuses = [(await refusal(url, "x"))[0] for _ in range(7)]

    assert set(statuses) == {401, 429}
    assert statuses[-1] == 429


async def test_the_log_has_each_socket_and_no_ticket(tmp_path: Path) -> None:
    variables = {
        "DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "DERMSERVE_LOG_LEVEL": "DEBUG",
    }
    async with running(tmp_path, **variables) as served, client_of(served.url) as admin:
        used = await ticket(admin)
        headers = {"X-Request-ID": "watched-by-a-page"}
        async with socket_of(served.url, used, additional_headers=headers) as connection:
            assert connection.response is not None
            assert connection.response.headers["x-request-id"] == "watched-by-a-page"
        await refusal(served.url, used)
        counted = 'gateway_requests_total{method="GET",route="/v1/events",status="401"}'
        async with asyncio.timeout(PATIENCE_S):
            while counted not in (figures := (await admin("GET", "/metrics")).text):
                """It is counted when it is over, which its client may know before."""
    written = "".join(served.written)

    assert used not in written
    assert '"watched-by-a-page"' in written
    for status in (101, 401):
        assert f'"route": "/v1/events", "status": {status}' in written
    assert f"{counted} 1.0" in figures
    assert 'gateway_request_seconds_count{method="GET",route="/v1/events"}' not in figures
