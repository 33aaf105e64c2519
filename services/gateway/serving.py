"""An open gateway on a listening socket, until the process is told to stop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import uvicorn
from fastapi import FastAPI

from services import telemetry
from services.gateway.app import create_app
from services.gateway.exposition import Worker
from services.gateway.protocol import Protocol
from services.gateway.settings import Settings
from services.gateway.socket_protocol import SocketProtocol

_MOST_OF_A_CLIENT = 1024


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own way ends the process before our things are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    settings: Settings,
    listener: socket.socket,
    told_to_stop: Callable[[], Awaitable[None]],
    ready: Callable[[], None],
    worker: Worker | None = None,
) -> None:
    """Open a gateway, serve, drain and close it.

    Args:
        settings: checked already.
        listener: where connections come in.
        told_to_stop: returns when it is time to end.
        ready: called when requests are taken.
        worker: which of several processes this is; None where it is the only one.

    Raises:
        BootError: it cannot be opened.

    """
    with telemetry.tracing("gateway") as traces:
        app = create_app(settings, traces, worker)
        async with app.router.lifespan_context(app):
            server = _Server(_config(app, settings))
            async with _stopping(server, app, told_to_stop):
                ready()
                await server.serve(sockets=[listener])


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes event loops here; None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws=SocketProtocol,
        # Clients have nothing to say but that they are there.
        ws_max_size=_MOST_OF_A_CLIENT,
        ws_per_message_deflate=False,
        ws_ping_interval=settings.heartbeat_s,
        ws_ping_timeout=settings.heartbeat_s,
        lifespan="off",
        log_config=None,
        # The door writes a line for each request, with its id and without its path.
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=round(settings.drain_s),
    )


@contextlib.asynccontextmanager
async def _stopping(
    server: uvicorn.Server, app: FastAPI, told_to_stop: Callable[[], Awaitable[None]]
) -> AsyncIterator[None]:
    """Tell a server to drain when the process is told to stop; streams would go on for ever."""

    async def watch() -> None:
        await told_to_stop()
        app.state.parts.streams.close()
        server.should_exit = True

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
