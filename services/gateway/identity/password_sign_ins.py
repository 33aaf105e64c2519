"""Sign-ins of people who know their password, and have the second factor where there is one.

What a wrong password is answered with says nothing of a second factor; only who knows the password
is asked for a code. A wrong code counts as a wrong password does, and asking for it counts as
nothing: neither shortens the wait of who guesses.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.identity import factor_codes
from services.gateway.identity.attempts import Attempt, Attempts
from services.gateway.identity.factor_codes import FactorCodes
from services.gateway.identity.origin import Origin
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.second_factors import NewSecret, SecondFactors
from services.gateway.identity.sign_in_terms import PasswordsFor, Terms
from services.gateway.identity.sign_in_tickets import (
    SignInTickets,
    Unfinished,
    see_ticket,
    take_ticket,
)
from services.gateway.identity.sign_ins import SignIns, TokenPair
from services.gateway.records import User, is_username

_WRONG = "The username or the password is wrong."
_ELSEWHERE = "Nobody signs in with a password here. Begin at GET /v1/auth/oidc."
_CODE_NEEDED = "The account has a second factor. Send `code` too."
_NO_FACTOR = (
    "A second factor is required here, and the account has none yet. Set it up with a browser: "
    "sign in at /sign-in."
)
_NOT_HERE = "Set up a second factor under your account."


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody whose password was right."""

    user: User
    checked: str
    attempt: Attempt
    has_factor: bool


class PasswordSignIns:
    """Begins sign-ins of those who know a password."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        attempts: Attempts,
        sign_ins: SignIns,
        codes: FactorCodes,
        factors: SecondFactors,
        terms: Terms = Terms(),  # noqa: B008 - a value that nothing changes
    ) -> None:
        """Build over the database.

        Args:
            database: has the users, across organisations.
            passwords: checks theirs.
            attempts: makes those wait who guess.
            sign_ins: begins theirs.
            codes: takes those of second factors.
            factors: sets them up.
            terms: who signs in so, and with what.

        """
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._sign_ins = sign_ins
        self._codes = codes
        self._factors = factors
        self._terms = terms
        self._tickets = SignInTickets(database)

    @property
    def are_taken(self) -> bool:
        """Whether anybody signs in with a password here."""
        return self._terms.passwords_for != PasswordsFor.NONE

    async def are_taken_from(self, user: User) -> bool:
        """Say whether a user does."""
        asked = select(col(User.id)).where(col(User.id) == user.id, self._terms.still())
        return await self._database.read(lambda session: session.scalar(asked)) is not None

    @property
    def factor_required(self) -> bool:
        """Whether nobody does without a second factor."""
        return self._terms.factor_required

    async def begin(
        self, username: str, password: str, origin: Origin, code: str | None = None
    ) -> TokenPair:
        """Sign in with a password.

        Args:
            username: in any case.
            password: of the user.
            origin: where the request comes from.
            code: of the second factor, or for recovery; None if nothing was said.

        Raises:
            TooManyAttemptsError: there were too many wrong passwords or codes.
            UnauthenticatedError: there is no such user, the password is wrong, or the user is
                disabled, or has to sign in elsewhere; which one cannot be told from the answer or
                its time.
            SecondFactorNeededError: the password is right, and a code is needed.
            CodeRefusedError: the password is right, and the code is not.
            SecondFactorMissingError: the password is right, and a second factor is required.
            ForbiddenError: nobody signs in with a password here.
            UnavailableError: too many passwords are being checked, or codes cannot be.

        """
        known = await self._known(username, password, origin)
        lacks = self._lacks(known.has_factor)
        if lacks is None:
            return await self._by_password_alone(known, origin)
        if code is None or not known.has_factor:
            await self._attempts.take_back(known.attempt)
            raise lacks
        taking = partial(self._take_code, known.user.id, code)
        still = self._terms.still(known.checked)
        return await self._welcome(known.attempt, known.user, origin, still, taking)

    async def begin_or_ticket(
        self, username: str, password: str, origin: Origin
    ) -> TokenPair | Unfinished:
        """Sign in, or say what is lacking; raises what ``begin`` does of passwords."""
        known = await self._known(username, password, origin)
        lacks = self._lacks(known.has_factor)
        if lacks is None:
            return await self._by_password_alone(known, origin)
        await self._attempts.take_back(known.attempt)
        return Unfinished(await self._tickets.issue(known.user, known.checked), lacks)

    async def begin_for(self, user: User) -> TokenPair:
        """Sign in a user who has just chosen their password, where that is enough.

        Raises:
            SecondFactorMissingError: it is not, as ``factor_required`` has it.
            UnauthenticatedError: they have been changed since.

        """
        if self.factor_required:
            raise errors.SecondFactorMissingError(_NO_FACTOR)
        still = self._terms.still(user.password_hash) & ~factor_codes.whoever_has_one()
        pair = await self._sign_ins.begin_by_password(user.id, still)
        if pair is None:
            raise errors.UnauthenticatedError(_WRONG)
        return pair

    async def ticket_for(self, user: User) -> Unfinished:
        """Return how such a user goes on where a second factor has to be set up first."""
        lacks = errors.SecondFactorMissingError(_NO_FACTOR)
        return Unfinished(await self._tickets.issue(user, user.password_hash), lacks)

    async def finish(self, ticket: str, code: str, origin: Origin) -> TokenPair:
        """Sign in with a ticket and a code; a wrong one leaves the ticket good.

        Raises:
            UnauthenticatedError: the ticket is no good.
            ForbiddenError: nobody signs in with a password here any more.
            CodeRefusedError: the code is no good.
            TooManyAttemptsError: there were too many wrong passwords or codes.
            UnavailableError: codes cannot be checked; that counts as no guess.

        """
        user = await self._holder(ticket)
        attempt = await self._attempts.begin(user.username, origin)

        def proving(session: Session) -> None:
            take_ticket(ticket, user.id, session)
            self._take_code(user.id, code, session)

        return await self._welcome(attempt, user, origin, self._terms.still(), proving)

    async def begin_set_up(self, ticket: str) -> NewSecret:
        """Make a secret for the app of somebody who has to set up a second factor.

        Raises:
            UnauthenticatedError: the ticket is no good.
            ForbiddenError: none is required here, or nobody signs in with a password any more.
            ConflictError: they have one already.

        """
        user = await self._holder(ticket)
        if not self.factor_required:
            raise errors.ForbiddenError(_NOT_HERE)
        return await self._factors.begin_for(user, partial(see_ticket, ticket))

    async def finish_set_up(
        self, ticket: str, code: str, origin: Origin
    ) -> tuple[TokenPair, list[str]]:
        """Put the second factor in force and sign in; return the recovery codes too.

        Raises:
            UnauthenticatedError: the ticket is no good.
            CodeRefusedError: the code is wrong; the ticket stays good.
            ConflictError: none was begun lately.
            TooManyAttemptsError: there were too many wrong passwords or codes.
            ForbiddenError: nobody signs in with a password here any more.

        """
        user = await self._holder(ticket)
        attempt = await self._attempts.begin(user.username, origin)
        codes: list[str] = []

        def proving(session: Session) -> None:
            take_ticket(ticket, user.id, session)
            confirmed = self._factors.confirmed(user.id, None, code, session)
            if confirmed is None:
                raise errors.CodeRefusedError(factor_codes.REFUSED)
            codes[:] = confirmed

        noted().concerns(user.id)
        pair = await self._welcome(attempt, user, origin, self._terms.still(), proving)
        return pair, codes

    async def _known(self, username: str, password: str, origin: Origin) -> _Known:
        self._see_that_taken()
        name = username.lower()
        with self._passwords.turn():
            attempt = await self._attempts.begin(name, origin)
            user = await self._called(name)
            checked = await self._passwords.match(password, user)
        if user is None or checked is None or user.disabled:
            raise errors.UnauthenticatedError(_WRONG)
        look = partial(factor_codes.in_force_where, user.id, self._terms.still(checked))
        has_factor = await self._database.read(look)
        if has_factor is None:
            raise errors.UnauthenticatedError(_WRONG)
        return _Known(user, checked, attempt, has_factor)

    async def _holder(self, ticket: str) -> User:
        # A ticket may be older than the terms.
        self._see_that_taken()
        return await self._tickets.holder(ticket)

    def _see_that_taken(self) -> None:
        if not self.are_taken:
            raise errors.NoPasswordsError(_ELSEWHERE)

    async def _called(self, name: str) -> User | None:
        if not is_username(name):
            return None
        found = select(User).where(col(User.username) == name)
        user: User | None = await self._database.read(lambda session: session.scalar(found))
        if user is not None:
            noted().by(user.id, user.organisation_id)
        return user

    def _lacks(self, has_factor: bool) -> errors.GatewayError | None:  # noqa: FBT001 - private
        if has_factor:
            return errors.SecondFactorNeededError(_CODE_NEEDED)
        if self.factor_required:
            return errors.SecondFactorMissingError(_NO_FACTOR)
        return None

    def _take_code(self, user_id: str, code: str, session: Session) -> None:
        if not self._codes.take(user_id, code, session):
            raise errors.CodeRefusedError(factor_codes.REFUSED)

    async def _by_password_alone(self, known: _Known, origin: Origin) -> TokenPair:
        still = self._terms.still(known.checked) & ~factor_codes.whoever_has_one()
        return await self._welcome(known.attempt, known.user, origin, still)

    async def _welcome(
        self,
        attempt: Attempt,
        user: User,
        origin: Origin,
        still: ColumnElement[bool],
        proving: Callable[[Session], object] | None = None,
    ) -> TokenPair:
        """Sign in whoever is still who they were; the right password and code end the count."""
        try:
            pair = await self._sign_ins.begin_by_password(user.id, still, proving)
        except (errors.ConflictError, errors.UnavailableError):
            # Nobody looked at the code.
            await self._attempts.take_back(attempt)
            raise
        if pair is None:
            raise errors.UnauthenticatedError(_WRONG)
        device = await self._attempts.succeed(attempt, user.id, origin)
        return replace(pair, device=device)
