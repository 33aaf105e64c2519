"""Forgotten passwords, replaced with a code that an administrator hands over.

The gateway sends no mail. So who is asking is for the administrator to know, as it was when they
made the account; what they hand over is good once, for an hour, and says nothing of any password.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.identity.attempts import forget_places
from services.gateway.identity.endings import end_all
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.sign_ins import hold
from services.gateway.records import PasswordReset, User, now
from services.gateway.security import tokens

LIFETIME = timedelta(hours=1)

_BAD_CODE = "The code is missing, expired, used or not valid. Ask an administrator for another one."
_OWN = "Change your own password with the one that you have."
_VOUCHED_FOR = "This user has no password here, but signs in at the identity provider."
_DISABLED = "This user is disabled, and no code would let them in. Enable them first."


@dataclass(frozen=True, slots=True)
class ResetCode:
    """What somebody chooses a new password with; nobody can tell it again."""

    code: str
    expires_at: datetime


class PasswordResets:
    """Gives out codes, and takes them for new passwords."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Build over the database.

        Args:
            database: remembers codes, across organisations.
            passwords: hashes what is chosen.

        """
        self._database = database
        self._passwords = passwords

    async def issue(self, user: User, by: User | None = None) -> ResetCode:
        """Return a new code for a user; the one before it is no good any more.

        Args:
            user: whose password is to be replaced.
            by: the administrator who asks; None for whoever keeps this gateway.

        Raises:
            ForbiddenError: it is the administrator, who needs none.
            ConflictError: the user has no password, or is disabled.

        """
        if by is not None and user.id == by.id:
            raise errors.ForbiddenError(_OWN)
        noted().concerns(user.id)
        noted().within(user.organisation_id)
        if not user.password_hash:
            raise errors.ConflictError(_VOUCHED_FOR)
        if user.disabled:
            raise errors.ConflictError(_DISABLED)
        code = ResetCode(tokens.new_refresh_token(), now() + LIFETIME)
        kept = PasswordReset(
            user_id=user.id, digest=tokens.digest(code.code), expires_at=code.expires_at
        )
        await self._database.write(partial(_keep, kept))
        return code

    async def redeem(self, code: str, password: str) -> None:
        """Replace the password of whose code it is; all their sign-ins end.

        A second factor stays in force: the code takes the place of the password alone.

        Raises:
            UnauthenticatedError: the code is no good, or its user is disabled.
            UnfitPasswordError: the password does not keep the rules; the code stays good.
            UnavailableError: too many passwords are being checked.

        """
        if not tokens.is_formed(code):
            raise errors.UnauthenticatedError(_BAD_CODE)
        whose = (
            select(User)
            .join(PasswordReset, col(PasswordReset.user_id) == col(User.id))
            .where(*_good(code), col(User.disabled).is_(False))
        )
        user: User | None = await self._database.read(lambda session: session.scalar(whose))
        if user is None:
            raise errors.UnauthenticatedError(_BAD_CODE)
        noted().by(user.id, user.organisation_id)
        noted().concerns(user.id)
        renewed = await self._passwords.hashed(password, user.username)
        await self._database.write(partial(_replace, user.id, code, renewed))


def _good(code: str) -> tuple[ColumnElement[bool], ...]:
    digest, expires_at = col(PasswordReset.digest), col(PasswordReset.expires_at)
    return digest == tokens.digest(code), expires_at > now()


def _keep(code: PasswordReset, session: Session) -> None:
    hold(code.user_id, session)
    session.merge(code)


def _replace(user_id: str, code: str, renewed: str, session: Session) -> None:
    # The user first, as all do who change what they are known by: none waits for the other.
    hold(user_id, session)
    taking = delete(PasswordReset).where(*_good(code)).returning(col(PasswordReset.user_id))
    if session.scalar(taking.execution_options(synchronize_session=False)) is None:
        raise errors.UnauthenticatedError(_BAD_CODE)
    changing = (
        update(User)
        .where(col(User.id) == user_id, col(User.disabled).is_(False))
        .values(password_hash=renewed)
        .returning(col(User.id))
    )
    if session.scalar(changing.execution_options(synchronize_session=False)) is None:
        raise errors.UnauthenticatedError(_BAD_CODE)
    end_all(user_id, session)
    # Where the old password was used says nothing about who knows the new one.
    forget_places(user_id, session)
