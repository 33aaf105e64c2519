"""Passwords of users: chosen, checked, changed.

A hash takes 19 MiB and tens of milliseconds of a core. A few are worked on at a time, some more
wait for their turn, and whoever comes on top of them is told to come back: a flood of sign-ins
takes neither the memory nor the time of the others.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.database import Database
from services.gateway.identity.attempts import Attempt, Attempts, forget_places
from services.gateway.identity.endings import end_all, see_that_still
from services.gateway.identity.sign_ins import hold
from services.gateway.places import Places
from services.gateway.records import PasswordReset, User
from services.gateway.security import passwords
from services.gateway.security.breached_passwords import BreachedPasswords, UnusableFileError
from services.gateway.threads import Threads

_BUSY = "Too many passwords are being checked. Try again shortly."

_WRONG = "The current password is wrong."
_NONE = "You have no password here: you sign in at your identity provider."

_UNKNOWN = "Nobody can look now whether this password became public. Try again later."

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Proof:
    """A password that was right: the hash that it was held against, and the try that it was."""

    checked: str
    attempt: Attempt


class Passwords:
    """Hashes and checks passwords, a bounded number at a time."""

    def __init__(
        self,
        database: Database,
        attempts: Attempts,
        most: int = 64,
        breached: BreachedPasswords | None = None,
    ) -> None:
        """Build over the database.

        Args:
            database: has the hashes.
            attempts: counts the tries of whoever changes a password.
            most: how many passwords may be in work or wait for it.
            breached: those that became public elsewhere, which nobody is to choose; None where
                the operator has no file of them.

        """
        self._database = database
        self._attempts = attempts
        self._breached = breached
        self._threads = Threads()
        self._places = Places(most, _BUSY)

    async def hashed(self, password: str, username: str) -> str:
        """Return the hash of a password that a user wants.

        Raises:
            UnfitPasswordError: it does not keep the rules.
            UnavailableError: too many are being checked, or the file of breached ones is no good.

        """
        with self._places.taken():
            return await self._threads.run(_hashed, password, username, self._breached)

    def turn(self) -> AbstractContextManager[None]:
        """Take the place of one who has a password checked, before anything is done for it.

        Raises:
            UnavailableError: too many are being checked.

        """
        return self._places.taken()

    async def match(self, password: str, user: User | None) -> str | None:
        """Return the hash that a user's right password has from here on, None for a wrong one.

        For nobody's the work is done all the same. A hash that was made with parameters of
        another day is replaced on this occasion. The caller has a ``turn``.
        """
        stored = user.password_hash if user else None
        if not await self._threads.run(passwords.matches, password, stored) or user is None:
            return None
        if not passwords.is_outdated(user.password_hash):
            return user.password_hash
        renewed = await self._threads.run(passwords.hashed, password)
        now_stored = await self._database.write(partial(_replace, user, renewed))
        if now_stored == renewed:
            return renewed
        # Somebody was quicker, with a hash of the same password or with another password.
        right = await self._threads.run(passwords.matches, password, now_stored)
        return now_stored if right else None

    async def prove(self, user: User, sign_in_id: str, current: str) -> Proof:
        """See that it is a user who asks in one of their sign-ins.

        Returns:
            What was seen. Its attempt counts until it is taken back.

        Raises:
            ForbiddenError: the user has no password.
            WrongPasswordError: the password is wrong.
            TooManyAttemptsError: it was wrong too often in this sign-in.
            UnavailableError: too many are being checked.

        """
        if not user.password_hash:
            raise errors.ForbiddenError(_NONE)
        with self.turn():
            attempt = await self._attempts.begin_inside(user.username, sign_in_id)
            checked = await self.match(current, user)
            if checked is None:
                raise errors.WrongPasswordError(_WRONG)
        return Proof(checked, attempt)

    async def change(self, user: User, sign_in_id: str, current: str, new: str) -> None:
        """Change a user's own password; all their sign-ins end but this one.

        Args:
            user: whose it is.
            sign_in_id: where it is changed from.
            current: proves that it is they who ask.
            new: what they want.

        Raises:
            ForbiddenError: there is none, the current password is wrong, or was changed meanwhile,
                or the sign-in has ended.
            UnfitPasswordError: the new one does not keep the rules.
            TooManyAttemptsError: the current one was wrong too often in this sign-in.
            UnavailableError: too many are being checked.

        """
        proof = await self.prove(user, sign_in_id, current)
        await self._attempts.take_back(proof.attempt)
        if new == current:
            raise errors.UnfitPasswordError("The new password is the current one.")
        renewed = await self.hashed(new, user.username)
        await self._database.write(partial(_change, user.id, sign_in_id, proof.checked, renewed))


def _hashed(password: str, username: str, breached: BreachedPasswords | None) -> str:
    try:
        fault = passwords.fault_of(password, username, breached)
    except (OSError, UnusableFileError) as error:
        _log.error("breached passwords cannot be looked up", error=str(error))
        raise errors.UnavailableError(_UNKNOWN) from error
    if fault is not None:
        raise errors.UnfitPasswordError(fault)
    return passwords.hashed(password)


def _replace(user: User, renewed: str, session: Session) -> str | None:
    """Put a hash in the place of the one that was checked, unless that was changed meanwhile.

    Returns:
        The hash that the user has after that.

    """
    session.execute(
        update(User)
        .where(col(User.id) == user.id, col(User.password_hash) == user.password_hash)
        .values(password_hash=renewed)
    )
    stored: str | None = session.scalar(
        select(col(User.password_hash)).where(col(User.id) == user.id)
    )
    return stored


def _change(user_id: str, sign_in_id: str, checked: str, renewed: str, session: Session) -> None:
    """Put a hash in the place of the one that was checked.

    The owner may have changed it since, or ended the sign-in that asks: who knows only the
    former password must not undo that.
    """
    hold(user_id, session)
    see_that_still(sign_in_id, checked, user_id, session)
    session.execute(update(User).where(col(User.id) == user_id).values(password_hash=renewed))
    end_all(user_id, session, but=sign_in_id)
    # A code for who had forgotten the old one is for nothing any more.
    session.execute(delete(PasswordReset).where(col(PasswordReset.user_id) == user_id))
    # Where the old password was used says nothing about who knows the new one.
    forget_places(user_id, session)
