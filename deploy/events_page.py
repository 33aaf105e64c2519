"""Write docs/events.md from the kinds of events: ``python -m deploy.events_page``."""

from pathlib import Path

from services.gateway.events import Ending
from services.gateway.records import EVENT_MEANING

PAGE = Path(__file__).resolve().parents[1] / "docs" / "events.md"

_HEAD = """\
# Events

Generated from `services/gateway/records/events.py` by `python -m deploy.events_page`.

Whoever may see a record can be told when something happens to it: a page shows an analysis as soon
as it is there, a program fetches what it does not have yet. An event is written in the transaction
of the change, so there is none without its change, and no change without its event. It holds ids
and a kind, and nothing of a patient: what happened to a record is read from the record, with the
rights of whoever reads.

```json
{
  "id": "01a2038e6c257f35beecd232009608c5",
  "kind": "analysis.succeeded",
  "subject_id": "01a2038e6c3c7045828002458afd3631",
  "created_at": "2026-11-22T13:58:55.317000Z"
}
```

| `kind` | what happened to `subject_id` |
|---|---|
"""

_REST = """
Kinds may be added: leave aside what you do not know. What is told is what the lists of the same
caller show: all of an organisation that shares, one's own where it is private.

## Server-sent events

```console
$ curl -N -H "Authorization: Bearer $TOKEN" https://gateway.example/v1/events
retry: 2000

event: analysis.succeeded
data: {"id":"01a2038e…","kind":"analysis.succeeded","subject_id":"01a2038e…","created_at":"2026-…"}
id: 01a2038e6c257f35beecd232009608c5

: still here
```

A stream begins with what comes next. Open it first and read lists then, and nothing falls between.
`Last-Event-ID` goes on after an event, on whichever replica; `Last-Event-ID: 0` begins with the
oldest that is kept. Events are told in their order, each once. With `?follow=false` the answer ends
when everything that is kept was told: for those who would rather ask now and then.

In Python, `dermserve_client` follows a stream through lost connections and restarts:

```python
with Client("https://gateway.example", Bearer(api_key)) as client:
    for event in client.events.follow():
        if isinstance(event, Missed):  # at first, and whenever something was not told
            read_the_lists(client)
        else:
            fetch(client, event.kind, event.subject_id)
```

The token, or API key, comes in the header `Authorization`, which `EventSource` cannot send; a page
reads the stream with `fetch`, or takes a WebSocket.

## WebSocket

```js
const { ticket } = await (await fetch("/v1/events/tickets", {
  method: "POST", headers: { Authorization: `Bearer ${token}` } })).json();
const socket = new WebSocket(`wss://gateway.example/v1/events?ticket=${ticket}`);
socket.onmessage = ({ data }) => show(JSON.parse(data));
```

A ticket is good for 30 seconds, for one use, and for the sign-in that asked for it; so no token
stands in an address, which proxies write into their logs. API keys get none: programs take
server-sent events. To go on after an event, `&last_event_id=…` stands behind the ticket.

Each message is the JSON of one event. The client has nothing to say; if it does, the connection is
closed with 1003. Pages of the gateway's own address may open one, and those of
`DERMSERVE_GATEWAY_CORS_ORIGINS`; a browser that names another origin gets 403. What is refused is
refused before the handshake, with a problem and its status: 401 for a ticket that is no good, 403,
429 and 503 as below.

## What a stream says of itself

These have no `id`, for there is nothing to go on after.

| message | what it means |
|---|---|
| `{"kind":"stream.missed"}` | The event to go on after is not kept any more, or was none of \
yours: something may have happened that you were not told. Read the lists again; the stream goes \
on with what comes next. |
ENDINGS

A connection that ends without a word is simply to be opened again, after a moment.

## Bounds

- Events are kept for `DERMSERVE_GATEWAY_EVENT_DAYS` days.
- `DERMSERVE_GATEWAY_MAX_STREAMS_OF_USER` streams of one user at a time (then 429),
  `DERMSERVE_GATEWAY_MAX_STREAMS` of a process (then 503). When few of these are left, a user has no
  more than there are left (429), so that the next one finds room.
- A client that takes nothing for `DERMSERVE_GATEWAY_EVENT_PATIENCE_S` seconds is cut off, and goes
  on from the last event it has when it comes back. One that merely is slower than what happens
  makes us hold `DERMSERVE_GATEWAY_EVENT_BUFFER` events at most; the others are read for it when it
  is ready for them.
- Every two seconds it is looked whether those who watch still may: a stream ends with its sign-in
  or key, when its user is disabled, or may not read any more. It does not end with the access token
  that opened it.
- When a gateway stops, it ends its streams at once and does not wait for them.

## Replicas

Each process listens to PostgreSQL (`LISTEN`) on one connection of its own, besides those of its
pool; so an event that one replica writes is told by all. When the connection is lost, a new one is
made, and what happened meanwhile is read from the table; so it is every five seconds too, so that
nothing hangs on a lost word. PgBouncer must not pool that connection by transaction. On SQLite
there is one process as a rule; what another one writes is found within a second.

Events of an organisation are numbered under a lock that is held for the commit alone. So their
numbers become visible in their order, and who goes on from one misses none.

## Load balancers and proxies

- Let a connection be idle for longer than `DERMSERVE_GATEWAY_HEARTBEAT_S` (15 s): after so many
  seconds without an event there is a comment or a ping. `proxy_read_timeout` of nginx is 60 s,
  `timeout client` and `timeout server` of HAProxy are often 50 s (a WebSocket has `timeout
  tunnel`), the idle timeout of an AWS load balancer is 60 s: all of them will do.
- Answers carry `X-Accel-Buffering: no`, which nginx heeds, and `Cache-Control: no-store`. Others
  must be told not to buffer or compress `text/event-stream`.
- Pass the upgrade on: `proxy_http_version 1.1` and the headers `Upgrade` and `Connection` in nginx.
- Leave the query out of access logs. A ticket in it is used by then, but need not stand there.
- HTTP/1.1 allows a browser six connections to a host, which streams use up quickly; over HTTP/2 at
  the proxy they share one.
"""

_ENDINGS = {
    Ending.SIGNED_OUT: "The sign-in or key has ended, or may not read any more. Sign in first. "
    "A WebSocket is closed with 1008.",
    Ending.SHUTDOWN: "This gateway stops. Open the stream again. A WebSocket is closed with 1012.",
}


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: what there is to watch, and how."""
    kinds = "\n".join(f"| `{kind}` | {meaning} |" for kind, meaning in EVENT_MEANING.items())
    endings = "\n".join(
        f'| `{{"kind":"stream.ended","reason":"{ending}"}}` | {_ENDINGS[ending]} |'
        for ending in Ending
    )
    return f"{_HEAD}{kinds}\n{_REST}".replace("ENDINGS", endings)


if __name__ == "__main__":
    main()
