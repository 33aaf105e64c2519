"""How sign-ins end: one alone, or all of a user with what would have become one.

Whose password, second factor or standing changes is out wherever they were in by what was there
before; so is who is halfway in, with a ticket for the second step, or back from the identity
provider and without their tokens yet. All of that is said here, once.
"""

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.records import (
    RefreshToken,
    SignIn,
    SignInMethod,
    SignInTicket,
    User,
    VouchedSignIn,
    now,
)

_ENDED = "The sign-in has ended, or the password was changed meanwhile."


def revoke(sign_in_id: str, session: Session) -> None:
    """End a sign-in."""
    ended = session.scalar(
        update(SignIn)
        .where(col(SignIn.id) == sign_in_id, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now())
        .returning(col(SignIn.user_id))
        .execution_options(synchronize_session=False)
    )
    noted().concerns(sign_in_id)
    if ended is not None:
        noted().by(ended)


def revoke_by(digest: str, session: Session) -> None:
    """End the sign-in that a refresh token belongs to, if there is one."""
    found = session.get(RefreshToken, digest)
    if found is not None:
        revoke(found.sign_in_id, session)


def end_sign_ins(session: Session, method: SignInMethod, *which: ColumnElement[bool]) -> None:
    """End sign-ins that began in one way."""
    ended = session.execute(
        update(SignIn)
        .where(*which, col(SignIn.method) == method, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now())
        .returning(col(SignIn.id), col(SignIn.user_id))
        .execution_options(synchronize_session=False)
    )
    for sign_in_id, user_id in ended:
        noted().by(user_id)
        noted().concerns(sign_in_id)


def end_all(user_id: str, session: Session, *, but: str | None = None) -> None:
    """End the sign-ins of a user, also those that are halfway.

    Args:
        user_id: theirs. Who asks holds them already.
        session: of the database.
        but: the one that goes on, in which they asked for it; None for none.

    """
    # First, as whoever ends what began at a provider does: none waits for the other.
    session.execute(
        delete(VouchedSignIn)
        .where(col(VouchedSignIn.user_id) == user_id)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(SignIn)
        .where(
            col(SignIn.user_id) == user_id,
            col(SignIn.id) != (but or ""),
            col(SignIn.revoked_at).is_(None),
        )
        .values(revoked_at=now())
        .execution_options(synchronize_session=False)
    )
    _remove_tickets(user_id, session)


def end_by_password(user_id: str, session: Session) -> None:
    """End what a user began with their password, also what is halfway."""
    end_sign_ins(session, SignInMethod.PASSWORD, col(SignIn.user_id) == user_id)
    _remove_tickets(user_id, session)


def see_that_still(sign_in_id: str, checked: str | None, user_id: str, session: Session) -> None:
    """See that a sign-in has not ended, nor its password been changed since it was checked."""
    there = [
        col(SignIn.id) == sign_in_id,
        col(SignIn.user_id) == user_id,
        col(SignIn.revoked_at).is_(None),
        col(User.disabled).is_(False),
    ]
    if checked is not None:
        there.append(col(User.password_hash) == checked)
    found = select(col(SignIn.id)).join(User, col(User.id) == col(SignIn.user_id)).where(*there)
    if session.scalar(found) is None:
        raise errors.ForbiddenError(_ENDED)


def _remove_tickets(user_id: str, session: Session) -> None:
    session.execute(
        delete(SignInTicket)
        .where(col(SignInTicket.user_id) == user_id)
        .execution_options(synchronize_session=False)
    )
