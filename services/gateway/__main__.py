"""``python -m services.gateway``: one process or several, until they are told to stop."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial

from services import environment, picture, rpc, telemetry
from services.gateway.settings import Settings
from services.gateway.supervisor import Supervisor

_BACKLOG = 2048
_log = telemetry.logger(__name__)


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
        run = _supervised if settings.workers > 1 else _alone()
        telemetry.configure_logging("gateway", settings.log_level)
        with _listening(settings.host, settings.port) as listener:
            return run(settings, listener)
    except (environment.SettingsError, telemetry.ListenerError) as error:
        return _refused(error)


def _refused(error: Exception) -> int:
    sys.stderr.write(f"gateway cannot start: {error}\n")
    return 2


def _alone() -> Callable[[Settings, socket.socket], int]:
    """Return what serves in this very process.

    Whoever only watches over others has no need of all that is imported here; and it is before
    there is a log, to which libraries would tell how they are set up.
    """
    from services.gateway.boot import BootError  # noqa: PLC0415
    from services.gateway.serving import loop_factory, serve  # noqa: PLC0415

    def run(settings: Settings, listener: socket.socket) -> int:
        ready = partial(_ready, listener)
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(serve(settings, listener, rpc.until_told_to_stop, ready))
        except BootError as error:
            return _refused(error)
        _log.info("gateway has stopped")
        return 0

    return run


def _supervised(settings: Settings, listener: socket.socket) -> int:
    supervisor = Supervisor(settings.workers, listener, settings.drain_s)
    status = asyncio.run(supervisor.run(rpc.until_told_to_stop, lambda: _ready(listener)))
    if status == 0:
        _log.info("gateway has stopped")
    return status


def _ready(listener: socket.socket) -> None:
    _log.info("gateway is ready", port=listener.getsockname()[1])


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


if __name__ == "__main__":
    sys.exit(main())
