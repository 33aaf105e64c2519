"""Several worker processes behind one listening socket: started, replaced, stopped together.

Each is a whole gateway. They share the socket, the database and the pictures, as replicas do, and
nothing else. A connection that none has accepted yet is nobody's: when a worker dies, it waits in
the socket for another.
"""

import asyncio
import contextlib
import os
import socket
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable

from services import telemetry

READY = b"r"
"""What a worker writes when it takes requests."""

# What lives shorter than this is replaced later and later.
_SETTLED_S = 30.0
_LONGEST_WAIT_S = 30.0
# After its requests, a worker has jobs to give back and rows to write.
_CLOSE_WITHIN_S = 20.0

_log = telemetry.logger(__name__)


class Supervisor:
    """Keeps so many workers going until it is told to stop."""

    def __init__(self, count: int, listener: socket.socket, drain_s: float) -> None:
        """Build over a socket.

        Args:
            count: how many workers.
            listener: that they all accept connections from.
            drain_s: seconds that running requests may take in the end.

        """
        self._count = count
        self._listener = listener
        self._stop_within_s = drain_s + _CLOSE_WITHIN_S
        self._running: dict[int, Process] = {}
        self._stopping = asyncio.Event()

    async def run(
        self, told_to_stop: Callable[[], Awaitable[None]], ready: Callable[[], None]
    ) -> int:
        """Keep them going; return the exit status.

        The first boots alone, and the others wait at a gate until it is ready: so what is done once
        (migrations, keys, the first administrator) is done when they look for it, and what is wrong
        is said once.

        Args:
            told_to_stop: returns when it is time to end.
            ready: called when all take requests.

        """
        # It ends with this process, however that ends.
        orphaned, alive = os.pipe()
        with tempfile.TemporaryDirectory(prefix="dermserve-gateway-") as folder:
            gate, self._gate = os.pipe()
            self._descriptors = (self._listener.fileno(), orphaned, gate)
            self._folder = folder
            watching = asyncio.create_task(self._watch(told_to_stop))
            try:
                return await self._run(ready)
            finally:
                watching.cancel()
                await self._stop()
                for descriptor in (alive, orphaned, gate):
                    os.close(descriptor)

    async def _run(self, ready: Callable[[], None]) -> int:
        first, *others = [asyncio.create_task(self._start(1 + n)) for n in range(self._count)]
        status = 0
        if not await first:
            status = 0 if self._stopping.is_set() else await self._running[1].wait()
            await self._stop()
        # Whoever is left at the gate goes on.
        os.close(self._gate)
        await asyncio.gather(*others)
        if self._stopping.is_set():
            return status
        ready()
        keeping = [asyncio.create_task(self._keep(number)) for number in self._running]
        await asyncio.gather(*keeping)
        return 0

    async def _watch(self, told_to_stop: Callable[[], Awaitable[None]]) -> None:
        await told_to_stop()
        self._stopping.set()
        self._terminate()

    async def _start(self, number: int) -> bool:
        """Start a worker; return whether it came to take requests."""
        told, saying = os.pipe()
        try:
            self._running[number] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services.gateway.worker"),
                *map(str, (number, *self._descriptors, saying, self._folder)),
                pass_fds=(*self._descriptors, saying),
            )
        finally:
            os.close(saying)
        if self._stopping.is_set():
            self._terminate()
        try:
            return await asyncio.to_thread(os.read, told, 1) == READY
        finally:
            os.close(told)

    async def _keep(self, number: int) -> None:
        """Replace a worker whenever it ends, unless all are to."""
        wait_s = 0.0
        while True:
            began = time.monotonic()
            status = await self._running[number].wait()
            if self._stopping.is_set():
                return
            settled = time.monotonic() - began > _SETTLED_S
            wait_s = 0.0 if settled else min(2 * wait_s or 0.5, _LONGEST_WAIT_S)
            _log.error("a worker ended and is replaced", worker=number, status=status)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait_s)
                return
            await self._start(number)

    def _terminate(self) -> None:
        for process in self._running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()

    async def _stop(self) -> None:
        """End those that are left: in order, and after a while in any case."""
        self._stopping.set()
        self._terminate()
        waits = [asyncio.create_task(process.wait()) for process in self._running.values()]
        if waits:
            await asyncio.wait(waits, timeout=self._stop_within_s)
        for process in self._running.values():
            if process.returncode is None:
                _log.error("a worker did not end in time and was killed")
                process.kill()
                await process.wait()
