"""Events as they happen: server-sent events, and tickets for WebSockets."""

import contextlib
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import format_sse_event
from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.dependencies import PartsDep, SignedInDep, WatcherDep
from services.gateway.events import Stream, Watcher
from services.gateway.identity import Permission
from services.gateway.outflow import Outflow, SlowClientError
from services.gateway.parts import Parts
from services.gateway.presence import while_there
from services.gateway.problems import documented
from services.gateway.routes.event_messages import (
    MISSED,
    EventMessage,
    StreamMessage,
    ended,
    watcher,
)

router = APIRouter(tags=["events"])

MEDIA_TYPE = "text/event-stream"
_HEARTBEAT = b": still here\n\n"
_RETRY_MS = 2000

_EXAMPLE = (
    "retry: 2000\n\nevent: analysis.succeeded\n"
    'data: {"id":"01a2038e6c257f35beecd232009608c5","kind":"analysis.succeeded",'
    '"subject_id":"01a2038e6c3c7045828002458afd3631","created_at":"2026-11-22T13:58:55Z"}\n'
    "id: 01a2038e6c257f35beecd232009608c5\n\n: still here\n\n"
)

LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=64,
        description="Go on after this event; `0` begins with the oldest that is kept.",
    ),
]

Follow = Annotated[
    bool, Query(description="Whether to go on once everything that is kept was told.")
]


class EventStream(Response):
    """The events of a watcher as an answer that goes on for as long as they stay."""

    media_type = MEDIA_TYPE

    def __init__(self, parts: Parts, who: Watcher, last: str | None, *, follow: bool) -> None:
        """Build for a watcher.

        Args:
            parts: of this process.
            who: is told.
            last: id of the last event that they have seen.
            follow: whether to go on once all that is kept was told.

        """
        # Proxies must pass on each event as it comes.
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["Content-Length"]
        self._parts = parts
        self._who = who
        self._last = last
        self._follow = follow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; whoever leaves, or takes nothing for too long, is let go."""
        parts = self._parts
        outflow = Outflow(scope, "sse", parts.stream_terms.patience_s, parts.metrics)
        async with parts.streams.open(self._who, self._last) as stream:
            with outflow.counted(), contextlib.suppress(SlowClientError):
                await while_there(Request(scope, receive), self._told(stream, outflow, send))

    async def _told(self, stream: Stream, outflow: Outflow, send: Send) -> None:
        head = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await outflow.send(send(head))

        async def say(body: bytes, events: int = 0, *, more: bool = True) -> None:
            message = {"type": "http.response.body", "body": body, "more_body": more}
            await outflow.send(send(message), events)

        await say(format_sse_event(retry=_RETRY_MS))
        if stream.missed:
            await say(_said(MISSED))
        following = (
            stream.followed(self._parts.stream_terms.heartbeat_s)
            if self._follow
            else stream.caught_up()
        )
        async for events in following:
            body = b"".join(_said(EventMessage.of(event), event.id) for event in events)
            await say(body or _HEARTBEAT, len(events))
        await say(_said(ended(stream.ending)) if stream.ending else b"", more=False)


def _said(message: EventMessage | StreamMessage, event_id: str | None = None) -> bytes:
    data = message.model_dump_json(exclude_none=True)
    return format_sse_event(event=message.kind, data_str=data, id=event_id)


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events as they happen. Each has its kind as `event`, its id as `id`, and "
        "as `data` JSON with `id`, `kind`, `subject_id` and `created_at`. `stream.missed` and "
        "`stream.ended` are about the stream itself and have no `id`.",
        # Without a schema: as one of the whole it would be taken for that of each event.
        "content": {MEDIA_TYPE: {"example": _EXAMPLE}},
    },
}


@router.get(
    "/v1/events",
    response_class=Response,
    responses=documented(401, 403, 422, 429) | _STREAM,
)
async def events(
    caller: WatcherDep,
    parts: PartsDep,
    last_event_id: LastEventId = None,
    follow: Follow = True,  # noqa: FBT002 - those who ask name it
) -> EventStream:
    """Watch what happens to the records that the caller may see (server-sent events).

    A stream begins with what comes next, or after `Last-Event-ID`. Where that event is not kept
    any more, `stream.missed` says that events were missed, or may have been: read the lists again.
    It ends when the sign-in or the key does. Every kind of event is listed in `docs/events.md`.
    """
    return EventStream(parts, watcher(caller), last_event_id or None, follow=follow)


class TicketView(BaseModel):
    """A ticket for one WebSocket."""

    ticket: str = Field(
        description="For `GET /v1/events?ticket=…` as a WebSocket; shown once.",
        examples=["MjU2IGJpdHMgdGhhdCBub2JvZHkgZ3Vlc3Nlcw"],
    )
    expires_in: int = Field(description="Seconds within which it must be used.", examples=[30])


@router.post("/v1/events/tickets", responses=documented(401, 403))
async def ticket(caller: SignedInDep, parts: PartsDep) -> TicketView:
    """Give a ticket with which a page opens a WebSocket; it is good once, and for this sign-in."""
    caller.require(Permission.READ)
    issued = await parts.tickets.issue(caller)
    return TicketView(ticket=issued.ticket, expires_in=issued.expires_in)
