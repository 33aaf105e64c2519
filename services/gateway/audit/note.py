"""What is known of the operation that is in work, written down wherever it turns up.

There is one note for each request, or command, ambient like the request's id: who is calling is
found out in one place, which rows a list shows in another, and neither passes it on.
"""

import contextlib
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

ENTRY = "sign_ins.begin"
"""What every sign-in that begins is called, by whatever operation it does."""

_ADDRESS_LENGTH = _OPERATOR_LENGTH = 64


@dataclass(slots=True)
class Note:
    """What an audit row will say. Ids and words of ours only, never a value that somebody sent.

    Attributes:
        action: what is done.
        operation: the operation of the OpenAPI document, or the command.
        subject: kind of what it is done to.
        subject_ids: of what it is done to.
        organisation_id: of who does it; None for nobody's.
        user_id: who does it, or tries to.
        sign_in_id: in which of their sign-ins.
        api_key_id: with which API key.
        operator: the operating system's user, for commands.
        address: of the client.
        request_id: finds it in the logs.
        problem: the slug of what went wrong.
        detail: what else is to be said, such as a role that was given.
        begun: whether a row says already that it was begun.
        foreseen: the status that it is answered with when it is done, where its route says so.
        told: the status that a row has said already, which came with the change itself.
        entered: the sign-in that began with it, whatever else was done.

    """

    action: str = ""
    operation: str = ""
    subject: str | None = None
    subject_ids: list[str] = field(default_factory=list)
    organisation_id: str | None = None
    user_id: str | None = None
    sign_in_id: str | None = None
    api_key_id: str | None = None
    operator: str | None = None
    address: str | None = None
    request_id: str | None = None
    problem: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    begun: bool = False
    foreseen: int | None = None
    told: int | None = None
    entered: str | None = None

    def __post_init__(self) -> None:
        """Bound what comes from outside, so that no row is too long for its columns."""
        self.address = None if self.address is None else self.address[:_ADDRESS_LENGTH]
        self.operator = None if self.operator is None else self.operator[:_OPERATOR_LENGTH]

    def by(self, user_id: str, organisation_id: str | None = None) -> None:
        """Say which user does it; their organisation is looked up where it is not known here."""
        if organisation_id is not None or user_id != self.user_id:
            self.user_id, self.organisation_id = user_id, organisation_id

    def within(self, organisation_id: str) -> None:
        """Say whose chain it belongs to, where no user does it."""
        self.organisation_id = self.organisation_id or organisation_id

    def concerns(self, *ids: str) -> None:
        """Say what else it is done to: what was made, or shown."""
        self.subject_ids += (each for each in ids if each not in self.subject_ids)

    def parted(self) -> list["Note"]:
        """Return what rows say at the end: of whoever came in meanwhile, one says just that."""
        if self.entered is None:
            return [self]
        entry = replace(self, action=ENTRY, subject="session", subject_ids=[self.entered])
        if self.action == ENTRY:
            return [entry]
        return [self, replace(entry, detail={})]


_current: ContextVar[Note | None] = ContextVar("note", default=None)


def noted() -> Note:
    """Return the note of what is in work; outside of any, one that nobody will read."""
    return _current.get() or Note()


@contextlib.contextmanager
def taking(note: Note) -> Iterator[Note]:
    """Let what follows be written down in a note."""
    token = _current.set(note)
    try:
        yield note
    finally:
        _current.reset(token)


def list_shown(ids: Iterable[str]) -> None:
    """Write down which records a list shows."""
    noted().concerns(*ids)
