"""``dermserve up``: the three services on this machine, in the foreground."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator

import typer

from dermserve_client import Client, ClientError
from services import environment, rpc
from services.gateway.settings import Settings as Gateway
from services.inference.settings import Settings as Inference
from services.reports.settings import Settings as Reports

ROOMS = ("inference", "reports", "gateway")
"""In the order in which they are asked to stop, last to first: the door closes first."""

_READY_WITHIN_S = 180
_STOP_WITHIN_S = 45
_POLL_S = 0.1

_ALONE = {"DERMSERVE_INFERENCE_LAME_DUCK_S": "0"}
"""There is no other replica here that anybody could turn to."""


class RoomEndedError(Exception):
    """A service ended though nobody asked it to; its own last line says why."""


app = typer.Typer()


@app.command()
def up() -> None:
    """Start gateway, inference and reports, say where to go, and stop them on Ctrl-C."""
    try:
        gateway = environment.read(Gateway)
        addresses = _addresses(environment.read(Inference), environment.read(Reports))
        asyncio.run(_run(_address(gateway), {**addresses, **_ALONE, **os.environ}))
    except (environment.SettingsError, RoomEndedError) as error:
        typer.echo(f"dermserve: {error}", err=True)
        raise typer.Exit(1) from error


def _addresses(inference: Inference, reports: Reports) -> dict[str, str]:
    """Tell the gateway where the others listen, should their ports have been set."""
    return {
        "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": rpc.authority(inference.host, inference.port),
        "DERMSERVE_GATEWAY_REPORTS_ADDRESS": rpc.authority(reports.host, reports.port),
    }


def _address(gateway: Gateway) -> str:
    if gateway.port == 0:
        raise environment.SettingsError("DERMSERVE_GATEWAY_PORT: up cannot tell which port 0 is")
    return f"http://{rpc.authority(gateway.host, gateway.port)}"


async def _run(address: str, variables: dict[str, str]) -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with _rooms(variables) as rooms:
        ended = asyncio.create_task(_first_to_end(rooms))
        ready = asyncio.create_task(_ready(address))
        stopped = asyncio.create_task(told.wait())
        await asyncio.wait({ended, ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done():
            ready.result()
            typer.echo(_welcome(address))
            await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        for task in (ready, stopped):
            task.cancel()
        if ended.done() and not told.is_set():
            raise RoomEndedError(f"{ended.result()} ended, so the others were stopped")
        ended.cancel()


@contextlib.asynccontextmanager
async def _rooms(variables: dict[str, str]) -> AsyncIterator[dict[str, Process]]:
    rooms: dict[str, Process] = {}
    try:
        for name in ROOMS:
            # A session of its own: Ctrl-C in the terminal reaches this process only, which
            # then stops the rooms in their order.
            rooms[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", f"services.{name}", env=variables, start_new_session=True
            )
        yield rooms
    finally:
        for process in reversed(rooms.values()):
            await _stop(process)


async def _stop(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _first_to_end(rooms: dict[str, Process]) -> str:
    waits = {asyncio.create_task(process.wait()): name for name, process in rooms.items()}
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[done.pop()]
    finally:
        for wait in waits:
            wait.cancel()


async def _ready(address: str) -> None:
    """Return when the gateway says that all it needs is there."""
    began = time.monotonic()
    with Client(address, timeout_s=5, tries=1, proxies=False) as client:
        while time.monotonic() < began + _READY_WITHIN_S:
            with contextlib.suppress(ClientError):
                await asyncio.to_thread(client.ready)
                return
            await asyncio.sleep(_POLL_S)
    raise RoomEndedError(f"{address}/readyz was not ready within {_READY_WITHIN_S} seconds")


def _welcome(address: str) -> str:
    return f"""
dermserve is ready at {address}

  Pages       {address}
  Reference   {address}/docs
  Register    curl -s {address}/v1/auth/register -H 'Content-Type: application/json' \\
                -d '{{"username": "me", "password": "a long password"}}'
  Sign in     curl -s {address}/v1/auth/token -d username=me -d 'password=a long password'
  Analyze     curl -s {address}/v1/analyses -H "Authorization: Bearer $TOKEN" -F image=@lesion.jpg

Research and decision support only. Not a diagnosis. Ctrl-C stops it."""
