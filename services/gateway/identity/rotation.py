"""How a sign-in goes on, one refresh token after the other.

A refresh token is good for one use (RFC 9700, 4.14.2). The same token coming a second time
means that two hold it, and we cannot know who is the thief: the whole sign-in ends. One case
is harmless, an answer that was lost on its way. So for a few seconds the last token may be
used again, as long as what it was exchanged for was never used; that one is dead from then
on, and there is never more than one live token in a sign-in. The seconds are the database's:
by a clock that is behind another one, they would be as many more.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.audit import noted
from services.gateway.database import moment_of
from services.gateway.identity.endings import revoke
from services.gateway.records import RefreshToken, SignIn, User, now
from services.gateway.security import tokens


def rotate(
    presented: str, successor: str, grace: timedelta, used_after: datetime, session: Session
) -> tokens.Claims | None:
    """Put one refresh token in the place of another, or end a sign-in where two hold one.

    Args:
        presented: digest of the one that came.
        successor: digest of the one that is to be given out.
        grace: how long a used one may come again.
        used_after: a sign-in that was not used since has ended.
        session: of the database.

    Returns:
        Whose it is; None where nobody gets one.

    """
    token = session.get(RefreshToken, presented)
    if token is None:
        return None
    noted().concerns(token.sign_in_id)
    user_id = _hold(token.sign_in_id, used_after, session)
    if user_id is None:
        return None
    noted().by(user_id)
    # Read again: others with the same token may have been here before us.
    session.refresh(token)
    if not _may_be_used(token, grace, session):
        revoke(token.sign_in_id, session)
        return None
    token.rotated_at = token.rotated_at or moment_of(session)
    token.successor = successor
    session.add(RefreshToken(digest=successor, sign_in_id=token.sign_in_id))
    return tokens.Claims(user_id, token.sign_in_id)


def _may_be_used(token: RefreshToken, grace: timedelta, session: Session) -> bool:
    """Say whether a token is live, or comes again because an answer was lost."""
    if token.rotated_at is None:
        return True
    moment = moment_of(session)
    if token.successor is None or moment - token.rotated_at > grace:
        return False
    lost = session.get(RefreshToken, token.successor)
    if lost is None or lost.rotated_at is not None:
        return False
    # Dead and without a successor: should it turn up after all, it ends the sign-in.
    lost.rotated_at = moment
    return True


def _hold(sign_in_id: str, used_after: datetime, session: Session) -> str | None:
    """Take a sign-in for this transaction; return its user, or None if it has ended.

    Writing first makes others wait: on PostgreSQL for the row, on SQLite for the database.
    """
    held = (
        update(SignIn)
        .where(col(SignIn.id) == sign_in_id, *live(used_after))
        .values(used_at=now())
        .returning(col(SignIn.user_id))
        .execution_options(synchronize_session=False)
    )
    user_id: str | None = session.scalar(held)
    return user_id


def live(used_after: datetime) -> list[ColumnElement[bool]]:
    """Return what holds of a sign-in that has not ended, be it by not being used since."""
    enabled = select(col(User.id)).where(col(User.disabled).is_(False))
    return [
        col(SignIn.revoked_at).is_(None),
        col(SignIn.expires_at) > now(),
        col(SignIn.used_at) > used_after,
        col(SignIn.user_id).in_(enabled),
    ]
