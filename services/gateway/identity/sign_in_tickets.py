"""Tickets of those whose password was right, for the second step of a sign-in.

A page asks for the code after the password, and must not carry the password on. So the browser gets
a ticket, as it does on the way back from an identity provider: random, kept as a digest, good for
some minutes and for one sign-in. A changed password and a disabled account end it.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database, remove_old
from services.gateway.identity.sign_ins import hold
from services.gateway.records import SignInTicket, User, now
from services.gateway.security import tokens

LIFETIME = timedelta(minutes=10)

_CLEANED_AT_ONCE = 16
_OVER = "That took too long, or the sign-in was begun elsewhere. Sign in again."


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A sign-in after its first step: what it lacks, and the ticket for the second."""

    ticket: str
    lacks: errors.GatewayError


class SignInTickets:
    """Gives out tickets and takes them back, on whichever replica they come."""

    def __init__(self, database: Database) -> None:
        """Build over the database that remembers them."""
        self._database = database

    async def issue(self, user: User, checked: str) -> str:
        """Return a new ticket of a user; some that expired go.

        Args:
            user: whose password was right.
            checked: the hash that it was held against.

        Raises:
            UnauthenticatedError: the password was changed since, or the user disabled.

        """
        ticket = tokens.new_refresh_token()
        kept = SignInTicket(
            digest=tokens.digest(ticket), user_id=user.id, expires_at=now() + LIFETIME
        )
        await self._database.write(partial(_add, kept, checked))
        return ticket

    async def holder(self, ticket: str) -> User:
        """Return who holds a ticket.

        Raises:
            UnauthenticatedError: it is no good.

        """
        whose = (
            select(User)
            .join(SignInTicket, col(SignInTicket.user_id) == col(User.id))
            .where(*_good(ticket), col(User.disabled).is_(False))
        )
        user: User | None = None
        if tokens.is_formed(ticket):
            user = await self._database.read(lambda session: session.scalar(whose))
        if user is None:
            raise errors.UnauthenticatedError(_OVER)
        noted().by(user.id, user.organisation_id)
        return user


def see_ticket(ticket: str, user_id: str, session: Session) -> None:
    """See in a transaction that a ticket of a user is good; raises what ``take_ticket`` does."""
    found = select(col(SignInTicket.digest)).where(
        *_good(ticket), col(SignInTicket.user_id) == user_id
    )
    if session.scalar(found) is None:
        raise errors.UnauthenticatedError(_OVER)


def take_ticket(ticket: str, user_id: str, session: Session) -> None:
    """Take a ticket of a user, whom this transaction holds from then on.

    Raises:
        UnauthenticatedError: it is no good any more.

    """
    # The user first, as all do who change what they are known by: none waits for the other.
    hold(user_id, session)
    taking = (
        delete(SignInTicket)
        .where(*_good(ticket), col(SignInTicket.user_id) == user_id)
        .returning(col(SignInTicket.digest))
        .execution_options(synchronize_session=False)
    )
    if session.scalar(taking) is None:
        raise errors.UnauthenticatedError(_OVER)


def _good(ticket: str) -> tuple[ColumnElement[bool], ...]:
    return col(SignInTicket.digest) == tokens.digest(ticket), col(SignInTicket.expires_at) > now()


def _add(ticket: SignInTicket, checked: str, session: Session) -> None:
    hold(ticket.user_id, session)
    still = select(col(User.id)).where(
        col(User.id) == ticket.user_id,
        col(User.password_hash) == checked,
        col(User.disabled).is_(False),
    )
    if session.scalar(still) is None:
        raise errors.UnauthenticatedError(_OVER)
    remove_old(session, col(SignInTicket.expires_at), now(), _CLEANED_AT_ONCE)
    session.add(ticket)
