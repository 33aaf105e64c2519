"""Which requests may come in at all, whatever they ask for."""

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gateway import framing
from services.gateway.cross_origin import CrossOrigin
from services.gateway.hosts import Hosts


class Gate:
    """A middleware before the routes: refuses what is not plain, or not meant for us."""

    def __init__(self, app: ASGIApp, hosts: Hosts, cross_origin: CrossOrigin) -> None:
        """Build around an application.

        Args:
            app: what lies behind the gate.
            hosts: knows by which names we go.
            cross_origin: knows what pages of other origins may do.

        """
        self._app = app
        self._hosts = hosts
        self._cross_origin = cross_origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request or WebSocket in, or raise; anything else passes through."""
        if scope["type"] in {"http", "websocket"}:
            headers = Headers(scope=scope)
            framing.check(scope["http_version"], headers)
            self._hosts.check(scope["path"], headers)
            if scope["type"] == "http":
                self._cross_origin.check(scope["method"], headers)
                told = self._cross_origin.preflight(scope["method"], headers)
                if told is not None:
                    await Response(status_code=204, headers=told)(scope, receive, send)
                    return
        await self._app(scope, receive, send)
