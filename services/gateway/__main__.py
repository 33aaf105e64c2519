"""``python -m services.gateway``: one process, until it is told to stop."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import uvicorn
from fastapi import FastAPI

from services import environment, picture, rpc, telemetry
from services.gateway.app import BootError, create_app
from services.gateway.protocol import Protocol
from services.gateway.settings import Settings

_BACKLOG = 2048
_log = telemetry.logger(__name__)


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own way ends the process before our things are closed."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main() -> int:
    """Run until stopped.

    Returns:
        The process's exit status: 0 after an orderly end, 2 when it could not start; then
        one sentence on stderr says why.

    """
    # What is made here (database, pictures, key) is for its owner only.
    os.umask(0o077)
    picture.return_memory()
    try:
        settings = environment.read(Settings)
        telemetry.configure_logging("gateway", settings.log_level)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(settings))
    except (environment.SettingsError, telemetry.ListenerError, BootError) as error:
        sys.stderr.write(f"gateway cannot start: {error}\n")
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    with (
        _listening(settings.host, settings.port) as listener,
        telemetry.tracing("gateway") as traces,
    ):
        app = create_app(settings, traces)
        async with app.router.lifespan_context(app):
            config = _config(app, settings)
            server = _Server(config)
            async with _stopping(server):
                _log.info("gateway is ready", port=listener.getsockname()[1])
                await server.serve(sockets=[listener])
    _log.info("gateway has stopped")


def _config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        # The door writes a line for each request, with its id and without its path.
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=round(settings.drain_s),
    )


@contextlib.contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Take the port first: a taken one is known before anything is opened."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except OSError as error:
        raise telemetry.ListenerError(
            f"cannot listen on {host}:{port} ({error.strerror}): stop what uses the port, or set "
            "DERMSERVE_GATEWAY_HOST and DERMSERVE_GATEWAY_PORT"
        ) from error
    with listener:
        yield listener


@contextlib.asynccontextmanager
async def _stopping(server: uvicorn.Server) -> AsyncIterator[None]:
    """Tell a server to drain when the process is told to stop."""

    async def watch() -> None:
        await rpc.until_told_to_stop()
        server.should_exit = True

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on every platform
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    sys.exit(main())
