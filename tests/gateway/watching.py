"""Clients that watch events, over real sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
from sqlalchemy.orm import Session
from websockets.asyncio.client import ClientConnection, connect

from services.gateway.boot import open_records
from services.gateway.database import publish
from services.gateway.records import EventKind, Patient, new_id
from tests.gateway.conftest import Client, Gateway
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.sockets import serving_http

PATIENCE_S = 60


def on_a_socket(gateway: Gateway) -> AbstractAsyncContextManager[str]:
    """Serve a gateway; yields its address."""
    return serving_http(gateway.app, gateway.settings)


def connection_to(url: str) -> socket.socket:
    """A connection of somebody who reads slowly, and holds little of what was not read."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    connection.setblocking(False)  # noqa: FBT003 - its only argument
    return connection


async def dropped(gateway: Gateway, protocol: str) -> None:
    """Return when a client was dropped."""
    count = gateway.parts.metrics.streams_dropped(protocol)
    async with asyncio.timeout(PATIENCE_S):
        while not count._value.get():  # noqa: ASYNC110 - a counter tells nobody
            await asyncio.sleep(0.02)


async def nobody_watches(gateway: Gateway, protocol: str) -> None:
    """Return when no client is counted as one that watches; who has left is noticed a bit later."""
    count = gateway.parts.metrics.streams(protocol)
    async with asyncio.timeout(PATIENCE_S):
        while count._value.get():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)


async def gone(writer: asyncio.StreamWriter) -> None:
    """Return when a connection is closed, in whatever way."""
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def patient(client: Client, number: int = 1) -> str:
    """Make a patient."""
    answer = await client("POST", "/v1/patients", json={"identifier": str(number), "name": "Ann"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@dataclass
class Told:
    """One message of a stream."""

    kind: str | None = None
    id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    comment: str | None = None

    @property
    def subject(self) -> Any:
        return self.data.get("subject_id")


class Watch:
    """What a client is told by server-sent events, message by message."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._lines = answer.aiter_lines()

    async def next(self) -> Told | None:
        """The next message, comments included; None at the end."""
        told, any_line = Told(), False
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                if not line:
                    return told
                any_line = True
                name, _, value = line.partition(": ")
                if name == "data":
                    told.data = json.loads(value)
                elif name in {"event", "id"}:
                    setattr(told, {"event": "kind", "id": "id"}[name], value)
                else:
                    told.comment = line
        assert not any_line, "half a message"
        return None

    async def event(self) -> Told | None:
        """The next message that is not a comment; None at the end."""
        while (told := await self.next()) is not None:
            if told.kind is not None:
                return told
        return None

    async def all(self) -> list[Told]:
        """All messages up to the end."""
        found = []
        while (event := await self.event()) is not None:
            found.append(event)
        return found

    async def events(self, count: int) -> list[Told]:
        """As many messages."""
        found = [await self.event() for _ in range(count)]
        return [each for each in found if each is not None]


@contextlib.asynccontextmanager
async def watching(
    url: str, client: Client, last: str | None = None, **query: Any
) -> AsyncIterator[Watch]:
    """Watch as somebody; what happens after this is entered is told."""
    headers = {"Authorization": f"Bearer {client.token}"}
    if last is not None:
        headers["Last-Event-ID"] = last
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http,
        http.stream("GET", "/v1/events", headers=headers, params=query) as answer,
    ):
        if answer.status_code != 200:
            await answer.aread()
        else:
            watch = Watch(answer)
            first = await watch.next()
            assert first is not None
            assert first.comment == "retry: 2000"
            yield watch
            return
        yield Watch(answer)


@contextlib.asynccontextmanager
async def client_of(
    url: str, username: str = "admin", password: str = ADMIN_PASSWORD
) -> AsyncIterator[Client]:
    """Somebody who is signed in to a gateway that is another process."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as http:
        form = {"username": username, "password": password}
        answer = await http.post("/v1/auth/token", data=form)
        assert answer.status_code == 200, answer.text
        yield Client(http, answer.json()["access_token"])


async def ticket(client: Client) -> str:
    """A ticket for a WebSocket."""
    answer = await client("POST", "/v1/events/tickets")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["ticket"])


def socket_of(url: str, of: str, **options: Any) -> connect:
    """A WebSocket to watch by, with a ticket and what may stand behind it."""
    address = url.replace("http:", "ws:")
    return connect(f"{address}/v1/events?ticket={of}", open_timeout=PATIENCE_S, **options)


async def told(connection: ClientConnection) -> dict[str, Any]:
    """The next message of a WebSocket."""
    async with asyncio.timeout(PATIENCE_S):
        message: dict[str, Any] = json.loads(await connection.recv())
    return message


async def flood(gateway: Gateway, client: Client, count: int) -> None:
    """Have many things happen to one client at once."""
    me = (await client("GET", "/v1/me")).json()
    subject = Patient(organisation_id=me["organisation_id"], owner_id=me["id"], identifier="1")

    def happen(session: Session) -> None:
        for _ in range(count):
            publish(session, EventKind.PATIENT_CHANGED, subject, new_id())

    async with open_records(gateway.settings) as records:
        await records.write(happen)
