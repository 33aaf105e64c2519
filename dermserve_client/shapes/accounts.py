"""Who asks, and by what they prove it."""

from datetime import datetime

from dermserve_client.shapes.shape import Editable, Shape


class Tokens(Shape):
    """Proof of who is asking."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int


class User(Editable):
    """A user."""

    id: str
    organisation_id: str
    username: str
    role: str
    roles: list[str]
    disabled: bool
    created_at: datetime


class ApiKey(Shape):
    """A key of a service; ``key`` is told only when it was just made."""

    id: str
    user_id: str
    name: str
    beginning: str
    permissions: list[str]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    key: str | None = None


class ResetCode(Shape):
    """What somebody who forgot their password chooses another one with, once."""

    code: str
    expires_at: datetime


class Ticket(Shape):
    """What opens one WebSocket within some seconds: ``/v1/events?ticket=…``."""

    ticket: str
    expires_in: int
