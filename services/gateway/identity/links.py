"""Who of our users is whom at an identity provider, said by whoever keeps the gateway."""

from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.identity.endings import end_by_password
from services.gateway.identity.sign_ins import hold
from services.gateway.identity.vouched_sign_ins import end_vouched
from services.gateway.records import LinkedIdentity, User


class Links:
    """What users are known by at one provider.

    Not for administrators: who says that somebody of the provider is a user of ours decides whom
    another organisation's people become.
    """

    def __init__(self, database: Database, issuer: str) -> None:
        """Build over the database, with all organisations.

        Args:
            database: has the users.
            issuer: of the provider.

        """
        self._database = database
        self._issuer = issuer

    async def link(self, username: str, subject: str) -> None:
        """Let whoever is this subject at the provider sign in as a user.

        What the user began with their password ends: from now on others say who they are, and a
        change of authentication factors leaves no session behind (OWASP ASVS 5.0, 7.4.3).

        Raises:
            NotFoundError: there is no such user.
            ConflictError: the subject is another user already, or the same.

        """
        try:
            await self._database.write(partial(_link, username.lower(), self._issuer, subject))
        except IntegrityError as error:
            raise errors.ConflictError(
                "This subject is linked already. Unlink it first."
            ) from error

    async def unlink(self, username: str) -> None:
        """Let nobody from the provider sign in as a user any more.

        Raises:
            NotFoundError: there is no such user.

        """
        await self._database.write(partial(_unlink, username.lower(), self._issuer))


def _link(name: str, issuer: str, subject: str, session: Session) -> None:
    user = _called(name, session)
    hold(user.id, session)
    session.add(
        LinkedIdentity(
            organisation_id=user.organisation_id, user_id=user.id, issuer=issuer, subject=subject
        )
    )
    session.flush()
    end_by_password(user.id, session)


def _unlink(name: str, issuer: str, session: Session) -> None:
    user = _called(name, session)
    session.execute(
        delete(LinkedIdentity).where(
            col(LinkedIdentity.user_id) == user.id, col(LinkedIdentity.issuer) == issuer
        )
    )
    end_vouched(session, lambda table: [col(table.user_id) == user.id])


def _called(name: str, session: Session) -> User:
    found: User | None = session.scalar(select(User).where(col(User.username) == name))
    if found is None:
        raise errors.NotFoundError(f"There is no user {name!r}.")
    noted().concerns(found.id)
    noted().within(found.organisation_id)
    return found
