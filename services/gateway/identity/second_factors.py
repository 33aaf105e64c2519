"""Second factors of users: set up, confirmed, removed, and given new recovery codes.

Whoever changes one says the password again, and a code where one is in force; who has lost the
telephone and the recovery codes asks an administrator, who takes it away.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.identity import factor_codes
from services.gateway.identity.attempts import Attempt, Attempts, forget_places
from services.gateway.identity.endings import end_all, see_that_still
from services.gateway.identity.factor_codes import FactorCodes
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.sign_ins import hold
from services.gateway.records import RecoveryCode, SecondFactor, User, now
from services.gateway.security import one_time_codes

CONFIRMED_WITHIN = timedelta(minutes=15)
"""How long after it was begun a second factor can be confirmed."""

_IN_FORCE = "A second factor is in force already. Remove it first."
_NOT_BEGUN = "No second factor is begun, or it was begun too long ago. Begin anew."
_NONE = "There is no second factor."
_OWN = "Remove your own second factor with your password and a code."

_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class NewSecret:
    """What an app on a telephone is told; nobody can tell it again."""

    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Since when a second factor is in force, and how many recovery codes are left."""

    since: datetime | None
    recovery_codes: int


class SecondFactors:
    """The second factors of users."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        attempts: Attempts,
        codes: FactorCodes,
        issuer: str,
    ) -> None:
        """Build over the database.

        Args:
            database: has them, across organisations.
            passwords: checks those of who changes one.
            attempts: counts wrong codes as it does wrong passwords.
            codes: knows their secrets.
            issuer: whose app entry it is, as telephones show it.

        """
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._codes = codes
        self._issuer = issuer

    async def standing(self, user: User) -> Standing:
        """Return whether a user has one, and how many recovery codes."""
        return await self._database.read(partial(_standing, user.id))

    async def owners(self, user_ids: Collection[str]) -> set[str]:
        """Return which of some users have one in force."""
        found = select(col(SecondFactor.user_id)).where(
            col(SecondFactor.user_id).in_(user_ids), col(SecondFactor.confirmed_at).is_not(None)
        )
        return await self._database.read(lambda session: set(session.scalars(found)))

    async def begin(self, user: User, sign_in_id: str, password: str) -> NewSecret:
        """Make a secret for a user's app; nothing is in force until it is confirmed.

        Raises:
            ForbiddenError: the password is wrong.
            TooManyAttemptsError: it was wrong too often in this sign-in.
            ConflictError: one is in force already.
            UnavailableError: too many passwords are being checked.

        """
        proof = await self._passwords.prove(user, sign_in_id, password)
        await self._attempts.take_back(proof.attempt)
        return await self.begin_for(user, partial(see_that_still, sign_in_id, proof.checked))

    async def begin_for(self, user: User, allowed: Callable[[str, Session], object]) -> NewSecret:
        """Do the same for who has proved otherwise who they are.

        Args:
            user: whose it is to be.
            allowed: sees in the transaction that it still may be, or raises.

        """
        noted().concerns(user.id)
        secret = one_time_codes.new_secret()
        begun = self._codes.new(user.id, secret)
        await self._database.write(partial(_begin, begun, allowed))
        return NewSecret(secret, one_time_codes.address(secret, user.username, self._issuer))

    async def confirm(self, user: User, sign_in_id: str, code: str) -> list[str]:
        """Put the one that was begun in force; all sign-ins of the user end but this one.

        Returns:
            Recovery codes, which nobody can tell again.

        Raises:
            ForbiddenError: the code is wrong.
            TooManyAttemptsError: it was wrong too often in this sign-in.
            ConflictError: none was begun lately.

        """

        def work(session: Session) -> list[str]:
            hold(user.id, session)
            see_that_still(sign_in_id, None, user.id, session)
            codes = self.confirmed(user.id, sign_in_id, code, session)
            if codes is None:
                raise errors.WrongCodeError(factor_codes.REFUSED)
            return codes

        noted().concerns(user.id)
        attempt = await self._attempts.begin_inside(user.username, sign_in_id)
        return await self._decided(attempt, work)

    def confirmed(
        self, user_id: str, sign_in_id: str | None, code: str, session: Session
    ) -> list[str] | None:
        """Confirm in a transaction; return recovery codes, None if the code is wrong.

        What began with a password alone ends, but for the sign-in that confirms, if there is one;
        and where the password alone was good says nothing about who has the telephone.

        Raises:
            ConflictError: none was begun lately.

        """
        begun = session.get(SecondFactor, user_id)
        if begun is None or begun.confirmed_at or begun.created_at < now() - CONFIRMED_WITHIN:
            raise errors.ConflictError(_NOT_BEGUN)
        step = self._codes.step(begun, code)
        if step is None:
            noted().detail["second_factor"] = "refused"
            return None
        begun.confirmed_at, begun.last_step = now(), step
        session.flush()
        end_all(user_id, session, but=sign_in_id)
        forget_places(user_id, session)
        return factor_codes.renew_recovery_codes(user_id, session)

    async def remove(self, user: User, sign_in_id: str, password: str, code: str) -> None:
        """Remove one's own; all sign-ins of the user end but this one.

        Raises:
            ForbiddenError: the password or the code is wrong.
            TooManyAttemptsError: they were wrong too often in this sign-in.
            ConflictError: there is none.
            UnavailableError: too many passwords are being checked.

        """

        def work(session: Session) -> None:
            _remove(user.id, session)
            end_all(user.id, session, but=sign_in_id)

        await self._with_both(user, sign_in_id, (password, code), work)

    async def renew_recovery_codes(
        self, user: User, sign_in_id: str, password: str, code: str
    ) -> list[str]:
        """Return new recovery codes, once; those before are no good. Raises what removing does."""
        renew = partial(factor_codes.renew_recovery_codes, user.id)
        return await self._with_both(user, sign_in_id, (password, code), renew)

    async def remove_for(self, user: User, by: User) -> None:
        """Remove the one of a user who has lost what gives the codes; all their sign-ins end.

        Args:
            user: whose it is.
            by: the administrator who asks.

        Raises:
            ForbiddenError: it is their own.
            ConflictError: there is none.

        """
        if user.id == by.id:
            raise errors.ForbiddenError(_OWN)
        await remove_lost(self._database, user)

    async def _with_both(
        self,
        user: User,
        sign_in_id: str,
        shown: tuple[str, str],
        work: Callable[[Session], _Done],
    ) -> _Done:
        """Do something for who shows a password and a code; wrong ones count alike."""
        noted().concerns(user.id)
        password, code = shown
        proof = await self._passwords.prove(user, sign_in_id, password)

        def taking(session: Session) -> _Done:
            hold(user.id, session)
            see_that_still(sign_in_id, proof.checked, user.id, session)
            if not factor_codes.in_force(user.id, session):
                raise errors.ConflictError(_NONE)
            if not self._codes.take(user.id, code, session):
                raise errors.WrongCodeError(factor_codes.REFUSED)
            return work(session)

        return await self._decided(proof.attempt, taking)

    async def _decided(self, attempt: Attempt, work: Callable[[Session], _Done]) -> _Done:
        """Do what a code is shown for; it was no guess if it was right, or nobody looked at it."""
        try:
            done = await self._database.write(work)
        except (errors.ConflictError, errors.UnavailableError):
            await self._attempts.take_back(attempt)
            raise
        await self._attempts.take_back(attempt)
        return done


async def remove_lost(records: Database, user: User) -> None:
    """Remove the second factor of a user, for whom their administrator or the host vouches.

    Raises:
        ConflictError: there is none.

    """

    def work(session: Session) -> None:
        hold(user.id, session)
        _remove(user.id, session)
        end_all(user.id, session)

    noted().concerns(user.id)
    noted().within(user.organisation_id)
    await records.write(work)


def _standing(user_id: str, session: Session) -> Standing:
    since = select(col(SecondFactor.confirmed_at)).where(col(SecondFactor.user_id) == user_id)
    left = select(func.count()).where(col(RecoveryCode.user_id) == user_id)
    return Standing(session.scalar(since), session.scalar(left) or 0)


def _begin(
    begun: SecondFactor, allowed: Callable[[str, Session], object], session: Session
) -> None:
    hold(begun.user_id, session)
    allowed(begun.user_id, session)
    if factor_codes.in_force(begun.user_id, session):
        raise errors.ConflictError(_IN_FORCE)
    session.merge(begun)


def _remove(user_id: str, session: Session) -> None:
    removal = (
        delete(SecondFactor)
        .where(col(SecondFactor.user_id) == user_id)
        .returning(col(SecondFactor.confirmed_at))
        .execution_options(synchronize_session=False)
    )
    if session.scalar(removal) is None:
        raise errors.ConflictError(_NONE)
    factor_codes.remove_recovery_codes(user_id, session)
