"""What operators may set about events and those who watch them."""

from pydantic import Field
from pydantic_settings import BaseSettings


class EventSettings(BaseSettings):
    """Environment variables with the prefix of the gateway's settings, of which these are some."""

    event_days: int = Field(
        7, ge=1, le=365, description="Days that events are kept for those who were away."
    )
    event_buffer: int = Field(
        256, ge=1, le=100_000, description="Events held in memory for a client that watches."
    )
    event_patience_s: float = Field(
        10,
        gt=0,
        le=600,
        description="Seconds after which a client that takes no events is dropped.",
    )
    heartbeat_s: float = Field(
        15,
        gt=0,
        le=600,
        description="Seconds without an event after which a client hears that we are there.",
    )
    max_streams: int = Field(
        1024, ge=1, le=100_000, description="Clients that watch events; further ones get 503."
    )
    max_streams_of_user: int = Field(
        16, ge=1, le=10_000, description="Clients of one user that watch; further ones get 429."
    )
