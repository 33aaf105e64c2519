"""Accounts: made, promoted, disabled, listed. Used by REST and by the command line alike."""

from collections.abc import Collection
from functools import partial

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.audit import noted
from services.gateway.database import EVERYTHING, AnyScope, Database
from services.gateway.identity.endings import end_all
from services.gateway.identity.passwords import Passwords
from services.gateway.records import (
    DEFAULT_ORGANISATION,
    Organisation,
    PasswordReset,
    Role,
    User,
    is_id,
    is_username,
    new_id,
)
from services.gateway.security.passwords import invented
from services.gateway.shelf import Revisions, see_that_it_is_meant

ADMIN = "admin"
"""The account that first boot makes."""

REGISTRATION_CLOSED = "Registration is closed here. Ask an administrator."
_NO_SUCH_USER = "There is no such user."


class Accounts:
    """The users of this gateway."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        """Build over the database.

        Args:
            database: has them.
            passwords: hashes theirs.

        """
        self._database = database
        self._passwords = passwords

    async def create(
        self,
        username: str,
        password: str,
        role: Role = Role.CLINICIAN,
        organisation_id: str = DEFAULT_ORGANISATION,
        user_id: str | None = None,
    ) -> User:
        """Make an account in an organisation, with an id of its own unless one is given.

        Raises:
            InvalidRequestError: the username or the password does not keep the rules.
            ConflictError: the username is taken.
            UnavailableError: too many passwords are being checked.

        """
        name = username.lower()
        if not is_username(name):
            raise errors.InvalidRequestError(
                "A username has 1 to 64 letters, digits or . _ @ + - and begins with a letter "
                "or digit."
            )
        user = User(
            id=user_id or new_id(),
            organisation_id=organisation_id,
            username=name,
            password_hash=await self._passwords.hashed(password, name),
            role=role,
        )
        try:
            await self._database.write(lambda session: session.add(user))
        except IntegrityError as error:
            raise errors.ConflictError("This username is taken. Choose another one.") from error
        noted().concerns(user.id)
        noted().within(organisation_id)
        noted().detail["role"] = str(role)
        return user

    async def register(self, username: str, password: str) -> User:
        """Make an account for whoever comes, in the default organisation.

        Raises:
            ForbiddenError: that one shares its records, which are not for whoever comes.
            InvalidRequestError: the username or the password does not keep the rules.
            ConflictError: the username is taken.

        """
        default = col(Organisation.id) == DEFAULT_ORGANISATION
        shares = select(col(Organisation.shared)).where(default)
        if await self._database.read(lambda session: session.scalar(shares)):
            raise errors.ForbiddenError(REGISTRATION_CLOSED)
        return await self.create(username, password)

    async def ensure_admin(self, password: str | None) -> str | None:
        """Make the first administrator if there is none yet.

        Args:
            password: theirs, or None to invent one.

        Returns:
            The password that was invented, to be shown once; None if there is nothing to show.

        """
        if await self._id_called(ADMIN) is not None:
            return None
        made_up = invented() if password is None else None
        try:
            await self.create(ADMIN, password or made_up or "", Role.ADMIN)
        except errors.ConflictError:
            # Another replica was faster, and shows its own.
            return None
        return made_up

    async def promote(self, username: str) -> User:
        """Make a user an administrator.

        Raises:
            NotFoundError: there is no such user.

        """
        return await self.change(await self._id_of(username), EVERYTHING, role=Role.ADMIN)

    async def disable(self, username: str) -> User:
        """Keep a user from signing in, and end their sign-ins.

        Raises:
            NotFoundError: there is no such user.
            ConflictError: they are the last administrator.

        """
        return await self.change(await self._id_of(username), EVERYTHING, disabled=True)

    async def change(
        self,
        user_id: str,
        scope: AnyScope,
        *,
        revisions: Revisions = None,
        role: Role | None = None,
        disabled: bool | None = None,
    ) -> User:
        """Change what a user may do; it counts from their next request on.

        Args:
            user_id: theirs.
            scope: of who asks; ``EVERYTHING`` for whoever keeps this gateway.
            revisions: that the change is meant for; None for whatever they are.
            role: the new one; None to leave it.
            disabled: whether they are kept out; None to leave it.

        Raises:
            NotFoundError: there is no such user within the scope.
            ChangedMeanwhileError: they are of another revision by now.
            ConflictError: their organisation would be left without an administrator.

        """
        if not is_id(user_id):
            raise errors.NotFoundError(_NO_SUCH_USER)
        work = partial(_change, user_id, revisions, role=role, disabled=disabled)
        return await self._database.write(work, scope)

    async def get(self, scope: AnyScope, user_id: str) -> User:
        """Return a user.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        asked = select(User).where(col(User.id) == user_id)
        found: User | None = None
        if is_id(user_id):
            found = await self._database.read(lambda session: session.scalar(asked), scope)
        if found is None:
            raise errors.NotFoundError(_NO_SUCH_USER)
        return found

    async def called(self, scope: AnyScope, username: str) -> User:
        """Return the user of a name.

        Raises:
            NotFoundError: there is none of this name within the scope.

        """
        asked = select(User).where(col(User.username) == username.lower())
        found: User | None = None
        if is_username(username.lower()):
            found = await self._database.read(lambda session: session.scalar(asked), scope)
        if found is None:
            raise errors.NotFoundError(_NO_SUCH_USER)
        return found

    async def names(self, scope: AnyScope, user_ids: Collection[str]) -> dict[str, str]:
        """Return the usernames of those of some users who are within a scope, by their ids."""
        asked = select(col(User.id), col(User.username)).where(col(User.id).in_(user_ids))
        found = await self._database.read(lambda session: session.execute(asked).all(), scope)
        return {each.id: each.username for each in found}

    async def page(
        self, scope: AnyScope, limit: int, cursor: str | None, role: Role | None = None
    ) -> paging.Page[User]:
        """List the users within a scope, newest first; only those of a role if one is given."""
        of_role = () if role is None else (col(User.role) == role,)
        rows = (
            select(User)
            .where(*of_role, *paging.after(User, cursor))
            .order_by(*paging.newest_first(User))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def _id_of(self, username: str) -> str:
        name = username.lower()
        user_id = await self._id_called(name) if is_username(name) else None
        if user_id is None:
            raise errors.NotFoundError(f"There is no user {username!r}.")
        return user_id

    async def _id_called(self, name: str) -> str | None:
        found = select(col(User.id)).where(col(User.username) == name)
        return await self._database.read(lambda session: session.scalar(found))


def _change(
    user_id: str,
    revisions: Revisions,
    session: Session,
    *,
    role: Role | None,
    disabled: bool | None,
) -> User:
    # PostgreSQL lets two administrators remove each other unless both rows are held;
    # SQLite has one writer and knows no such lock.
    session.execute(_active_admins().with_for_update())
    # Theirs too: whoever comes in with an identity provider may be given a role.
    user = session.get(User, user_id, with_for_update={"of": User})
    if user is None:
        raise errors.NotFoundError(_NO_SUCH_USER)
    see_that_it_is_meant(user.revision, revisions)
    ruled = user.role == Role.ADMIN and not user.disabled
    user.role = user.role if role is None else role
    user.disabled = user.disabled if disabled is None else disabled
    user.revision += 1
    noted().concerns(user.id)
    noted().within(user.organisation_id)
    noted().detail.update(role=str(user.role), disabled=user.disabled)
    session.flush()
    peers = col(User.organisation_id) == user.organisation_id
    if ruled and not session.scalars(_active_admins().where(peers)).all():
        raise errors.ConflictError("This is the last administrator. Promote another first.")
    if user.disabled:
        end_all(user_id, session)
        # Who is let in again later does not come with a code from before.
        session.execute(delete(PasswordReset).where(col(PasswordReset.user_id) == user_id))
    return user


def _active_admins() -> Select[str]:
    return (
        select(col(User.id))
        .where(col(User.role) == Role.ADMIN, col(User.disabled).is_(False))
        .order_by(col(User.id))
    )
