"""A gateway of this process on a real socket, as its own process would serve it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.gateway.serving import _config, _Server
from services.gateway.settings import Settings


@contextlib.asynccontextmanager
async def serving_http(app: FastAPI, settings: Settings) -> AsyncIterator[str]:
    """Serve an application that has begun its life; yields its address."""
    server = _Server(_config(app, settings))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # So that little has to be sent before a client that does not read is noticed.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.parts.streams.close()
            server.should_exit = True
            await serving
