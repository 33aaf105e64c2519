"""A wire to PostgreSQL that can go dead: what is sent is taken, and nothing comes of it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import URL, make_url

_PIECE_BYTES = 1 << 16


@dataclass
class Wire:
    """Passes bytes on to a server's socket, unless it is dead.

    Attributes:
        socket: of the server.
        dead: whether bytes are lost, as when a host vanishes without a word.
        lost: is set when some were.
        keeps_ends: whether nobody is told that the other has hung up.
        hung_up: is set when somebody did.

    """

    socket: Path
    dead: bool = False
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    keeps_ends: bool = False
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _ends: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        there, back = await asyncio.open_unix_connection(self.socket)
        for source, sink in ((reader, back), (there, writer)):
            end = asyncio.create_task(self._pass(source, sink))
            self._ends.add(end)

    async def close(self) -> None:
        """End all connections."""
        for end in self._ends:
            end.cancel()
        await asyncio.gather(*self._ends, return_exceptions=True)

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.closing(sink), contextlib.suppress(ConnectionError):
            while piece := await source.read(_PIECE_BYTES):
                if self.dead:
                    self.lost.set()
                else:
                    sink.write(piece)
            self.hung_up.set()
            if self.keeps_ends:
                await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def to(database: str) -> AsyncIterator[tuple[Wire, str]]:
    """Lay a wire to a database that listens on a local socket; yields its address over the wire."""
    address = make_url(database)
    wire = Wire(_socket(address))
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    over = address.set(host="127.0.0.1", port=port, query={})
    try:
        yield wire, over.render_as_string(hide_password=False)
    finally:
        server.close()
        await wire.close()


def _socket(address: URL) -> Path:
    return Path(str(address.query["host"])) / f".s.PGSQL.{address.port or 5432}"
