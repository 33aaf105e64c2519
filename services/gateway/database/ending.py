"""The end of a transaction: what many others wait for is taken right before the commit.

Always in the same order, so that no two wait for each other: first the counts of events, then what
was asked for here.
"""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session

from services.gateway.database import publication
from services.gateway.database.scope import ScopedSession

_LAST = "what is done last"


def at_last(session: Session, work: Callable[[Session], None]) -> None:
    """Have something done when all else in a transaction is done, and not if it is not committed.

    Args:
        session: in the transaction.
        work: takes what nothing else is taken after.

    """
    session.info.setdefault(_LAST, []).append(work)


@event.listens_for(ScopedSession, "before_commit")
def _end(session: Session) -> None:
    publication.write(session)
    for work in session.info.pop(_LAST, ()):
        work(session)
