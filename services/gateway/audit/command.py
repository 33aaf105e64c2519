"""Commands on the machine that has the database are recorded by the operating system's user."""

import contextlib
import os
import pwd
from collections.abc import AsyncIterator

from services.gateway import kinds
from services.gateway.audit.note import Note, taking
from services.gateway.audit.trail import Trail


@contextlib.asynccontextmanager
async def commanded(trail: Trail, operation: str, action: str, subject: str) -> AsyncIterator[Note]:
    """Record a command: that it is begun, and what became of it.

    Args:
        trail: to write to.
        operation: the command, as it is typed.
        action: what it does.
        subject: kind of what it is done to.

    Raises:
        UnavailableError: it cannot be recorded; then it is not done.

    """
    note = Note(action=action, operation=operation, subject=subject, operator=operator())
    with taking(note):
        await trail.begin(note)
        try:
            yield note
        except Exception as error:
            kind = kinds.kind_of(error)
            note.problem = kind.slug
            await trail.end(note, kind.status)
            raise
        await trail.end(note)


def operator() -> str:
    """Return the name of the operating system's user; their number where they have no name.

    What the environment says of it is not believed.
    """
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
