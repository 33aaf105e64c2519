"""Refusals in the audit: the door's own too, and a flood of them in few rows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed

from services.gateway import errors
from services.gateway.audit import refusals
from services.gateway.events import Stream
from services.gateway.security_headers import SECURITY_HEADERS
from tests.gateway.audited import Row, findings, last, rows
from tests.gateway.clocks import pass_time
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.leaks import WATCH
from tests.gateway.test_event_sockets import refused
from tests.gateway.test_trail import UNWRITABLE, note
from tests.gateway.watching import PATIENCE_S, client_of, on_a_socket, socket_of, ticket

HEAD = "POST /v1/auth/refresh HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"


async def row_of(gateway: Gateway, **said: object) -> Row:
    """The row that says this, once it is written."""
    async with asyncio.timeout(PATIENCE_S):
        while not (found := await rows(gateway, **said)):  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.01)
    (row,) = found
    return row


async def answer_to(url: str, sent: str) -> str:
    """Send bytes, and read what comes back; nothing if the connection is reset before."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(sent.encode())
        return (await asyncio.wait_for(reader.read(200), PATIENCE_S)).decode()
    except ConnectionError:
        return ""
    finally:
        writer.transport.abort()  # what was not taken is not waited for


@pytest.mark.usefixtures("quotas_are_counted")
async def test_a_flood_over_a_quota_leaves_a_row_and_a_count(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, caller_quota=3) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        with WATCH.captured() as lines:
            for client in (alice, bob):
                for _ in range(13):
                    await client("GET", "/v1/me")

        first = await rows(gateway, status=429)
        assert len({row["user_id"] for row in first}) == len(first) == 2
        assert {row["detail"] for row in first} == {None}
        # The log has every one of them.
        answered = [line for line in lines if line.get("status") == 429]
        assert len(answered) == 20

        await gateway.parts.refusals.close()
        counts = (await rows(gateway, status=429))[2:]
        assert [row["detail"] for row in counts] == ['{"followed": 9}'] * 2
        assert {row["user_id"] for row in counts} == {row["user_id"] for row in first}
        assert await findings(gateway) == []


async def test_a_flood_of_bad_tokens_leaves_a_row_also_where_there_is_no_limit(
    start: Start,
) -> None:
    async with start(address_quota=0) as gateway:
        bad = Client(gateway.http, "of nobody")
        statuses = {(await bad("GET", "/v1/me")).status_code for _ in range(9)}

        assert (statuses, len(await rows(gateway, status=401))) == ({401}, 1)


async def test_nobody_is_refused_unrecorded_when_the_first_row_cannot_be_written(
    either: Gateway,
) -> None:
    unwritable, good = replace(note("10.0.0.1"), request_id=UNWRITABLE), note("10.0.0.1")
    end = either.parts.refusals.end

    at_once = await asyncio.gather(end(unwritable, 429), end(good, 429), return_exceptions=True)
    await end(good, 429)

    assert [type(each) for each in at_once] == [errors.UnavailableError] * 2
    assert len(await rows(either, action="test")) == 1


@pytest.mark.usefixtures("quotas_are_counted")
async def test_what_follows_is_counted_for_a_while_and_then_has_a_row(start: Start) -> None:
    async with start(caller_quota=1) as gateway:
        alice = await gateway.signed_in()
        for _ in range(4):
            await alice("GET", "/v1/me")
        assert len(await rows(gateway, status=429)) == 1

        pass_time(refusals.WINDOW_S)
        counted = await row_of(gateway, status=429, detail='{"followed": 2}')
        assert counted["outcome"] == "refused"
        await alice("GET", "/v1/me")
        assert (await last(gateway, status=429))["detail"] is None


@pytest.mark.parametrize(
    ("sent", "status", "operation"),
    [
        (HEAD.replace("Host: gateway", "Host: elsewhere") + "\r\n", 421, "door"),
        (HEAD + "Transfer-Encoding: gzip, chunked\r\n\r\n", 400, "door"),
        (HEAD + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "door"),
        (HEAD + "X-Long: " + "x" * 200_000, 431, "door"),
        (HEAD + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "door"),
        (HEAD + "Content-Length: 70000\r\n\r\n" + "x" * 70_000, 413, "refresh"),
        (HEAD + "Content-Length: 2\r\n\r\nno", 422, "refresh"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
async def test_what_no_quota_counts_is_recorded_once_and_counted(
    listening: tuple[Gateway, str], sent: str, status: int, operation: str
) -> None:
    await recorded_once(*listening, sent, status, operation)


async def test_what_comes_too_slowly_is_recorded_once_and_counted(start: Start) -> None:
    async with start(upload_timeout_s=0.2) as gateway, on_a_socket(gateway) as url:
        await recorded_once(gateway, url, HEAD + "Content-Length: 2\r\n\r\n", 408, "refresh")


async def recorded_once(gateway: Gateway, url: str, sent: str, status: int, operation: str) -> None:
    answers = {(await answer_to(url, sent))[9:12] for _ in range(3)}
    # A reset may overtake an answer.
    assert str(status) in answers <= {str(status), ""}

    row = await row_of(gateway, status=status)
    assert (row["operation"], row["outcome"]) == (operation, "refused")
    assert (row["address"], row["user_id"]) == ("127.0.0.1", None)
    assert row["problem"]
    assert row["request_id"]


@pytest.fixture
async def listening(start: Start) -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway with one name."""
    names = "gateway,127.0.0.1"
    async with start(allowed_hosts=names) as gateway, on_a_socket(gateway) as url:
        yield gateway, url


async def test_an_opened_websocket_and_a_refused_one_leave_rows(either: Gateway) -> None:
    async with on_a_socket(either) as url:
        alice = await either.signed_in()
        me = (await alice("GET", "/v1/me")).json()
        async with socket_of(url, await ticket(alice)):
            opened = await last(either, operation="watch")
        bad = await refused(url, "x" * 43)
        strange = await refused(url, await ticket(alice), origin="https://evil.example")

    assert (opened["action"], opened["subject"]) == ("events.read", "event")
    assert (opened["status"], opened["outcome"], opened["user_id"]) == (101, "done", me["id"])
    assert opened["sign_in_id"]
    statuses = [row["status"] for row in await rows(either, operation="watch")]
    assert statuses == [101, bad.status_code, strange.status_code] == [101, 401, 403]


async def test_a_refused_handshake_has_the_headers_of_every_answer(
    listening: tuple[Gateway, str],
) -> None:
    _, url = listening
    bad = await refused(url, "x" * 43)
    nowhere = await refused(f"{url}/nowhere", "x")
    misdirected = await refused(url.replace("127.0.0.1", "localhost"), "x")

    assert [each.status_code for each in (bad, nowhere, misdirected)] == [401, 404, 421]
    for answer in (bad, nowhere, misdirected):
        assert {*SECURITY_HEADERS, "X-Request-Id"} <= {name.title() for name in answer.headers}
        assert answer.headers["content-type"] == "application/problem+json"
    assert bad.headers["ratelimit-policy"]


async def test_a_fault_in_an_open_websocket_is_logged_with_its_request(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Stream, "followed", None)
    async with on_a_socket(gateway) as url, client_of(url) as admin:
        headers = {"X-Request-ID": "a-page-that-watches"}
        with capture_logs(processors=[merge_contextvars]) as lines:
            watch = socket_of(url, await ticket(admin), additional_headers=headers)
            async with watch as connection:
                with pytest.raises(ConnectionClosed):
                    await asyncio.wait_for(connection.recv(), PATIENCE_S)

    (failed,) = [line for line in lines if line["event"] == "request failed"]
    assert failed["request_id"] == "a-page-that-watches"
    assert isinstance(failed["exc_info"], TypeError)
