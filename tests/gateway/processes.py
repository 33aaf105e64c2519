"""The gateway as a process of its own, on a real socket."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.leaks import WATCH
from tests.stack import UNHURRIED

Process = asyncio.subprocess.Process


@dataclass
class Running:
    """A gateway that serves, and what it has written to stderr so far."""

    process: Process
    port: int
    written: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"


async def boot(folder: Path, **changes: str) -> Process:
    """Start a gateway on a free port, with variables of ours and no others."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("DERMSERVE_")}
    ours = {"DERMSERVE_DATA_DIR": str(folder), "DERMSERVE_GATEWAY_PORT": "0"}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.gateway",
        env=inherited | UNHURRIED | ours | changes,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


@contextlib.asynccontextmanager
async def running(folder: Path, **changes: str) -> AsyncIterator[Running]:
    """Run a gateway until it serves; it is told to stop in the end."""
    process = await boot(folder, **changes)
    served, ready = Running(process, 0), asyncio.Event()
    reading = asyncio.create_task(_read(served, ready))
    try:
        await asyncio.wait_for(ready.wait(), 120)
        assert served.port, served.written
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), 60)
        await reading


async def told(gateway: Running, sent: bytes) -> bytes:
    """Send bytes, and return all that is answered until the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(-1), 60)
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def _read(served: Running, ready: asyncio.Event) -> None:
    assert served.process.stderr is not None
    async for line in served.process.stderr:
        served.written.append(line.decode())
        WATCH.write(line.decode())
        if b"gateway is ready" in line:
            served.port = json.loads(line)["port"]
            ready.set()
    ready.set()
