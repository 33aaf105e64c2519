"""Problems as pages, for whoever asked for a page."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway import problems
from services.gateway.identity import Caller
from services.gateway.web.visitors import onlooker

_UNAUTHENTICATED, _FAILED = 401, 500
_NOWHERE = {
    "title": "There is no such page",
    "detail": "The address is misspelled, or what was here has moved.",
}
_NOT_FINISHED = {
    "title": "Not analyzed yet",
    "detail": "The picture is in line or being analyzed. Come back in a moment.",
}
_CHANGED = {
    "title": "Changed meanwhile",
    "detail": "It was changed since you saw it, and nothing was done. "
    "Go back, load the page anew and look at what it is now.",
}
_IN_OTHER_WORDS = {
    "no-such-path": _NOWHERE,
    "not-finished": _NOT_FINISHED,
    "changed-meanwhile": _CHANGED,
}
"""What pages say in place of what is said to programs, by the kind of problem."""
# They describe the body, which is another one now.
_OF_THE_BODY = ("content-length", "content-type", "content-security-policy")


class ProblemPages:
    """The outermost middleware: who takes HTML, as browsers say for pages, is not sent JSON.

    Scripts and programs ask for no HTML, and get the problem itself.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; a problem that answers it becomes a page."""
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, receive, send).send)


class _Answer:
    """One answer, kept back while it is a problem."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._head: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = Headers(raw=message["headers"]).get("content-type", "")
            if kind.startswith(problems.MEDIA_TYPE):
                self._head = message
                return
        if self._head is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            page = self._shown(self._head, await self._caller(self._head["status"]))
            await page(self._scope, self._receive, self._send)

    async def _caller(self, status: int) -> Caller | None:
        """Return who asked, as was found out on the way, or else is where nobody has looked."""
        state = self._scope.get("state", {})
        known: Caller | None = state.get("caller")
        # Whoever was counted was looked at; and what has failed is asked for no more.
        if known or "standing" in state or status == _UNAUTHENTICATED or status >= _FAILED:
            return known
        return await onlooker(Request(self._scope))

    def _shown(self, head: Message, caller: Caller | None) -> Response:
        page = self._page(head["status"], caller)
        headers = MutableHeaders(raw=head["headers"])
        for name in _OF_THE_BODY:
            del headers[name]
        for name, value in headers.items():
            page.headers.setdefault(name, value)
        return page

    def _page(self, status: int, caller: Caller | None) -> Response:
        path = quote(self._scope["path"])
        if status == _UNAUTHENTICATED and self._scope["method"] in {"GET", "HEAD"}:
            query = self._scope["query_string"].decode("latin-1")
            there = f"{path}?{query}" if query else path
            return RedirectResponse(f"/sign-in?{urlencode({'next': there})}", 303)
        values = {"problem": self._problem()}
        return self._scope["app"].state.pages.show(  # type: ignore[no-any-return]
            self._scope, "problem.html", values, caller=caller, status=status
        )

    def _problem(self) -> dict[str, Any]:
        if not self._body:  # as to HEAD
            return {"title": "", "detail": ""}
        problem: dict[str, Any] = json.loads(self._body)
        return problem | _IN_OTHER_WORDS.get(problem["type"].rpartition("#")[2], {})
