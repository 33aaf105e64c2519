"""What clients that watch are told, over either protocol."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from services.gateway.events import Ending, Watcher
from services.gateway.identity import Caller
from services.gateway.records import Event, EventKind


class EventMessage(BaseModel):
    """Something that happened; what it happened to is asked for by its id."""

    id: str = Field(description="To go on after it, as `Last-Event-ID`.")
    kind: EventKind
    subject_id: str = Field(description="The analysis, patient or lesion, as `kind` says.")
    created_at: datetime

    @classmethod
    def of(cls, event: Event) -> Self:
        """Show an event."""
        return cls.model_validate(event.model_dump())


class StreamMessage(BaseModel):
    """Something about the stream itself: events were missed, or it ends and why."""

    kind: Literal["stream.missed", "stream.ended"]
    reason: Ending | None = None


MISSED = StreamMessage(kind="stream.missed")


def ended(why: Ending) -> StreamMessage:
    """Say why a stream ends."""
    return StreamMessage(kind="stream.ended", reason=why)


def watcher(caller: Caller) -> Watcher:
    """Return who watches."""
    return Watcher(caller.credential, caller.user.id, caller.scope)
