"""Whether calls are welcome, and whether the process is well (grpc.health.v1)."""

from __future__ import annotations  # gRPC's classes are generic for type checkers only

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

LIVENESS = "liveness"
"""The name under which health is asked whether the process should be left running.

The empty name, and those of the services, say whether to send calls here (readiness).
"""

_Status = health_pb2.HealthCheckResponse
_Context = aio.ServicerContext[Any, Any]


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc] # it ships no types
    """Answers health checks; whoever watches hears of every change at once.

    gRPC's own servicer keeps its watchers for ever. A balancer that watches would then hold a
    server that drains until its grace is over.
    """

    def __init__(self) -> None:
        """Begin as a process that is well and knows no service yet."""
        self._statuses = {LIVENESS: _Status.SERVING}
        self._changed = asyncio.Condition()
        self._ended = False

    async def say(self, names: Iterable[str], *, serving: bool) -> None:
        """Set what is answered about some names."""
        async with self._changed:
            status = _Status.SERVING if serving else _Status.NOT_SERVING
            self._statuses.update(dict.fromkeys(names, status))
            self._changed.notify_all()

    def serves(self, name: str) -> bool:
        """Return whether a check of a name would be answered with SERVING."""
        return bool(self._statuses.get(name) == _Status.SERVING)

    async def end_watches(self) -> None:
        """End every watch, once it has heard the last change."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def Check(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> health_pb2.HealthCheckResponse:
        """Answer once."""
        status = self._statuses.get(request.service)
        if status is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no service of this name is here")
        return _Status(status=status)

    async def Watch(
        self, request: health_pb2.HealthCheckRequest, context: _Context
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Answer now and at every change; a name may come to be known later."""
        del context
        said = None
        while (status := await self._news(request.service, said)) is not None:
            yield _Status(status=status)
            said = status

    async def _news(self, name: str, said: Any) -> Any:
        """Wait for a status that was not said yet; None when none will come."""

        def status() -> Any:
            return self._statuses.get(name, _Status.SERVICE_UNKNOWN)

        async with self._changed:
            await self._changed.wait_for(lambda: self._ended or status() != said)
        return status() if status() != said else None
