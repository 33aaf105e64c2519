"""``python -m services.gateway.worker``: one of several processes on one socket.

The supervisor starts it, and gives it its number, the descriptors of the listening socket, of a
pipe that ends when the supervisor does, of one that ends when the first worker has booted and of
one to say on that it is ready, and a folder that it shares with its siblings.
"""

import asyncio
import os
import socket
import sys
from pathlib import Path

from services import environment, picture, rpc, telemetry
from services.gateway.boot import BootError
from services.gateway.exposition import Worker
from services.gateway.serving import loop_factory, serve
from services.gateway.settings import Settings
from services.gateway.supervisor import READY


def main() -> int:
    """Run until told to stop, or until the supervisor is gone; return the exit status."""
    number, listener, supervisor, gate, ready = map(int, sys.argv[1:6])
    os.umask(0o077)
    picture.return_memory()
    try:
        settings = environment.read(Settings)
        telemetry.configure_logging("gateway", settings.log_level)
        if number > 1:
            # It ends when the first has booted.
            os.read(gate, 1)
        with (
            socket.socket(fileno=listener) as opened,
            asyncio.Runner(loop_factory=loop_factory()) as runner,
        ):
            worker = Worker(number, Path(sys.argv[6]))
            runner.run(
                serve(
                    settings,
                    opened,
                    lambda: _told_or_orphaned(supervisor),
                    lambda: _say(ready),
                    worker,
                )
            )
    except (environment.SettingsError, telemetry.ListenerError, BootError) as error:
        sys.stderr.write(f"gateway cannot start: {error}\n")
        return 2
    return 0


def _say(ready: int) -> None:
    os.write(ready, READY)
    os.close(ready)


async def _told_or_orphaned(supervisor: int) -> None:
    """Return when told to stop; also when nobody is there any more who would say so."""
    orphaned = asyncio.Event()
    asyncio.get_running_loop().add_reader(supervisor, orphaned.set)
    waits = {asyncio.create_task(rpc.until_told_to_stop()), asyncio.create_task(orphaned.wait())}
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asyncio.get_running_loop().remove_reader(supervisor)
        for wait in waits:
            wait.cancel()


if __name__ == "__main__":
    sys.exit(main())
