"""Events as they happen, over WebSocket (RFC 6455); OpenAPI has no word for it."""

import asyncio
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.gateway import errors, problems, reading
from services.gateway.dependencies import take_for_token
from services.gateway.events import Ending, Stream
from services.gateway.identity import Permission, SignedIn
from services.gateway.outflow import Outflow, SlowClientError
from services.gateway.parts import Parts
from services.gateway.routes.event_messages import (
    MISSED,
    EventMessage,
    StreamMessage,
    ended,
    watcher,
)

router = APIRouter()

_LONGEST_ID = 64
_PARAMETERS = ("last_event_id", "ticket")
_CODES = {Ending.SIGNED_OUT: 1008, Ending.SHUTDOWN: 1012}
"""Of RFC 6455 and its registry: policy violation, service restart."""
_NOTHING_EXPECTED = 1003


@router.websocket("/v1/events")
async def watch(websocket: WebSocket) -> None:
    """Watch what happens to the records that the holder of a ticket may see."""
    parts: Parts = websocket.app.state.parts
    try:
        _see_origin(websocket, parts.stream_terms.origins)
        reading.check_query(websocket, _PARAMETERS)
        caller = await _holder(websocket, parts)
        caller.require(Permission.READ)
        last = websocket.query_params.get("last_event_id", "")[:_LONGEST_ID] or None
        async with parts.streams.open(watcher(caller), last) as stream:
            await websocket.accept()
            await _tell(websocket, stream, parts)
    except errors.GatewayError as error:
        await websocket.send_denial_response(problems.answer(error, websocket.scope))


async def _holder(websocket: WebSocket, parts: Parts) -> SignedIn:
    """Return who holds the ticket that came; tries of others count against their address."""
    try:
        return await parts.tickets.redeem(websocket.query_params.get("ticket"))
    except errors.UnauthenticatedError:
        await take_for_token(websocket, parts, None)
        raise


async def _tell(websocket: WebSocket, stream: Stream, parts: Parts) -> None:
    """Tell a client until it leaves, says something, or takes too long to take what it is told."""
    terms = parts.stream_terms
    outflow = Outflow(websocket.scope, "websocket", terms.patience_s, parts.metrics)
    telling = asyncio.create_task(_told(websocket, stream, outflow, terms.heartbeat_s))
    hearing = asyncio.create_task(_heard(websocket))
    with outflow.counted():
        try:
            await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            telling.cancel()
            hearing.cancel()
            await asyncio.wait({telling, hearing})
    for task in (telling, hearing):
        trouble = None if task.cancelled() else task.exception()
        if trouble is not None and not isinstance(trouble, SlowClientError | WebSocketDisconnect):
            raise trouble


async def _told(websocket: WebSocket, stream: Stream, outflow: Outflow, heartbeat_s: float) -> None:
    async def say(message: EventMessage | StreamMessage, events: int) -> None:
        text = message.model_dump_json(exclude_none=True)
        await outflow.send(websocket.send_text(text), events)

    if stream.missed:
        await say(MISSED, 0)
    # The protocol sends its own heartbeats.
    async for events in stream.followed(heartbeat_s):
        for event in events:
            await say(EventMessage.of(event), 1)
    if stream.ending is not None:
        await say(ended(stream.ending), 0)
        closing = websocket.close(_CODES[stream.ending], stream.ending)
        await outflow.send(closing)


async def _heard(websocket: WebSocket) -> None:
    """Wait until a client leaves; whoever says something is told that nothing is expected."""
    message = await websocket.receive()
    if message["type"] == "websocket.receive":
        await websocket.close(_NOTHING_EXPECTED, "nothing is expected")


def _see_origin(websocket: WebSocket, allowed: frozenset[str]) -> None:
    """See that a page which asks is our own, or one that is trusted; programs name no origin.

    Raises:
        ForbiddenError: it is another one (OWASP ASVS 5.0, 4.4.2).

    """
    origin = websocket.headers.get("origin")
    if origin is None or origin in allowed:
        return
    if urlsplit(origin).netloc != websocket.headers.get("host"):
        raise errors.ForbiddenError(
            "Pages of this origin may not watch events. DERMSERVE_GATEWAY_CORS_ORIGINS names "
            "those that may."
        )
