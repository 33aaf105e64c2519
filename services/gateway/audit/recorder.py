"""Every request is recorded before its answer leaves, whichever route answers it.

What changes something is recorded twice: when its caller is known, before anything is done, and
when it is done. So nothing is done that no row tells of, whatever fails in between. The second row
may come with the change itself (``Trail.together``); then it is written here only if the answer
turns out to be another.
"""

from starlette.requests import ClientDisconnect
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from services import telemetry
from services.gateway import errors, kinds
from services.gateway.audit.actions import NOT_AUDITED, Action, action, is_page
from services.gateway.audit.note import Note, taking
from services.gateway.audit.trail import CLIENT_LEFT, Trail
from services.gateway.records import is_id

REFUSALS = frozenset({401, 403, 429})
"""Statuses that leave a row whatever was asked for."""


_REFUSED, _TOO_MANY, _FAILED = 400, 429, 500
_ANSWERED = {"websocket.accept": 101}
"""What a handshake is answered with, as HTTP has it."""


class Recorder:
    """A middleware between the door and the gate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or WebSocket; anything else, such as a lifespan, passes through."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        note = Note(address=client[0] if client else None)
        visit = _Visit(scope, note, send)
        with taking(note):
            try:
                await self._app(scope, receive, visit.send)
            except (ClientDisconnect, WebSocketDisconnect):
                await visit.record(CLIENT_LEFT)
                raise
            except Exception as error:
                if visit.failure is not None:
                    raise visit.failure from error
                kind = kinds.kind_of(error)
                if "route" not in scope:
                    # The gate did not let it in, and nobody knows what was asked for.
                    refused_at_the_door(note, kind.slug)
                await visit.record(kind.status)
                raise


def refused_at_the_door(note: Note, problem: str) -> None:
    """Write down that something is refused before it is known what was asked for."""
    note.action, note.operation, note.problem = "requests.refuse", "door", problem
    note.request_id = note.request_id or telemetry.current_request_id()


async def begin(scope: Scope, note: Note, trail: Trail) -> None:
    """Write that a caller is about to change something; nothing for those who only look.

    Raises:
        UnavailableError: it cannot be written.

    """
    done = _describe(scope, note)
    if done is not None and done.changes and not note.begun:
        note.foreseen = getattr(scope["route"], "status_code", None)
        await trail.begin(note)


class _Visit:
    """One request, until its answer begins."""

    def __init__(self, scope: Scope, note: Note, send: Send) -> None:
        self._scope = scope
        self._note = note
        self._send = send
        self._recorded = False
        self.failure: errors.UnavailableError | None = None

    async def send(self, message: Message) -> None:
        status = message.get("status", _ANSWERED.get(message["type"]))
        if status is not None:
            await self.record(status)
        await self._send(message)

    async def record(self, status: int) -> None:
        """Write what became of the request, once."""
        if self._recorded:
            return
        self._recorded = True
        if self._note.told == status:
            return
        _describe(self._scope, self._note)
        operation = self._note.operation
        if not operation or (operation in NOT_AUDITED and status not in REFUSALS):
            return
        parts = self._scope["app"].state.parts
        try:
            if self._is_uncounted(status):
                await parts.refusals.end(self._note, status)
            else:
                await parts.trail.end(self._note, status)
        except errors.UnavailableError as error:
            self.failure = error
            raise

    def _is_uncounted(self, status: int) -> bool:
        """Whether no quota bounds how often this is refused: spent, never asked, or none at all."""
        if self._note.begun or not _REFUSED <= status < _FAILED:
            return False
        standing = self._scope.get("state", {}).get("standing")
        return status == _TOO_MANY or standing is None or not standing.enough


def _describe(scope: Scope, note: Note) -> Action | None:
    """Complete a note by what was asked for; None where that is no operation."""
    route = scope.get("route")
    if isinstance(route, WebSocketRoute):
        method = "GET"
    elif isinstance(route, Route) and (route.include_in_schema or is_page(route.name)):
        method = scope["method"]
        if method not in (route.methods or ()):
            return None
    else:
        return None
    if not note.operation:
        done = action(route.name, method, route.path)
        note.operation, note.action, note.subject = route.name, done.name, done.subject
        note.request_id = telemetry.current_request_id()
        named = str(scope["path_params"].get(done.parameter, ""))
        # A path holds whatever somebody wrote into it.
        if is_id(named):
            note.subject_ids = [named, *(each for each in note.subject_ids if each != named)]
    return action(route.name, method, route.path)
