"""Tickets for streams of events: for seconds, for one use, for one sign-in.

A page cannot send a header with a WebSocket, and what stands in an address is logged by proxies
and kept by browsers. So it asks for a ticket with its token, and opens the stream with that.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.database import Database, remove_old
from services.gateway.identity.access import Access, SignedIn
from services.gateway.records import StreamTicket, now
from services.gateway.security import tokens

LIFETIME = timedelta(seconds=30)
_CLEANED_AT_ONCE = 16
_BAD_TICKET = "The ticket is missing, expired, used or not valid. Ask for another one."


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a page opens a stream with; nobody can tell it again."""

    ticket: str
    expires_in: int


class Tickets:
    """Gives out tickets and takes them back, on whichever replica they come."""

    def __init__(self, database: Database, access: Access) -> None:
        """Build over the database.

        Args:
            database: remembers tickets.
            access: knows whether their sign-ins still hold.

        """
        self._database = database
        self._access = access

    async def issue(self, caller: SignedIn) -> Ticket:
        """Return a new ticket of a sign-in; some that expired go."""
        ticket = tokens.new_refresh_token()
        kept = StreamTicket(
            digest=tokens.digest(ticket),
            sign_in_id=caller.sign_in_id,
            expires_at=now() + LIFETIME,
        )
        await self._database.write(partial(_add, kept))
        return Ticket(ticket, round(LIFETIME.total_seconds()))

    async def redeem(self, ticket: str | None) -> SignedIn:
        """Return who holds a ticket, which is then used.

        Raises:
            UnauthenticatedError: it is no good, or its sign-in has ended.

        """
        if not tokens.is_formed(ticket or ""):
            raise errors.UnauthenticatedError(_BAD_TICKET)
        good = (
            col(StreamTicket.digest) == tokens.digest(ticket or ""),
            col(StreamTicket.expires_at) > now(),
        )
        # Whoever tries tickets makes nobody wait who writes.
        looking = select(col(StreamTicket.sign_in_id)).where(*good)
        if await self._database.read(lambda session: session.scalar(looking)) is None:
            raise errors.UnauthenticatedError(_BAD_TICKET)
        taking = (
            delete(StreamTicket)
            .where(*good)
            .returning(col(StreamTicket.sign_in_id))
            .execution_options(synchronize_session=False)
        )
        sign_in_id: str | None = await self._database.write(lambda session: session.scalar(taking))
        if sign_in_id is None:
            raise errors.UnauthenticatedError(_BAD_TICKET)
        return await self._access.in_sign_in(sign_in_id)


def _add(ticket: StreamTicket, session: Session) -> None:
    remove_old(session, col(StreamTicket.expires_at), now(), _CLEANED_AT_ONCE)
    session.add(ticket)
