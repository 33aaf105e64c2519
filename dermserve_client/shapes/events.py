"""What happens, and who is told."""

from datetime import datetime

from dermserve_client.shapes.shape import Editable, Shape


class Event(Shape):
    """Something that happened to the record ``subject_id``."""

    id: str
    kind: str
    subject_id: str
    created_at: datetime


class Missed(Shape):
    """Stands for events that are not told, if there were any: read the lists."""


class Webhook(Editable):
    """A receiver that is told what happens; ``secret`` is told only when it was just made."""

    id: str
    created_at: datetime
    url: str
    description: str
    kinds: list[str]
    disabled: bool
    disabled_because: str | None
    failing_since: datetime | None
    secret: str | None = None


class WebhookSecret(Shape):
    """What messages of a webhook are signed with."""

    id: str
    created_at: datetime
    secret: str


class Delivery(Shape):
    """A message for a webhook, and how far it is."""

    id: str
    message_id: str
    kind: str
    subject_id: str | None
    occurred_at: datetime
    created_at: datetime
    state: str
    attempts: int
    attempted_at: datetime | None
    status_code: int | None
    error: str | None
    next_at: datetime | None
