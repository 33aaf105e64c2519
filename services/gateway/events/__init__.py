"""What happened to records, for those who may see them: read, streamed, kept for a while."""

from services.gateway.events.feed import Feed
from services.gateway.events.stream import Ending, Stream, Watcher
from services.gateway.events.streams import BEGINNING, Streams

__all__ = ["BEGINNING", "Ending", "Feed", "Stream", "Streams", "Watcher"]
