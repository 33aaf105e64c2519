"""API keys: made for a service, listed, revoked; each allows some of what its owner's role does."""

from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.audit import noted
from services.gateway.database import Database, Scope
from services.gateway.identity.permissions import ALLOWED, Permission
from services.gateway.records import ApiKey, Role, User, is_id, now
from services.gateway.security import api_keys, tokens

_NO_SUCH_KEY = "There is no API key of this id in your organisation."


class ApiKeys:
    """The API keys of an organisation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        scope: Scope,
        key_id: str,
        user_id: str,
        name: str,
        permissions: AbstractSet[Permission],
        lifetime: timedelta,
    ) -> tuple[ApiKey, str]:
        """Make a key; return what is known of it, and the key, which nobody can tell again.

        Args:
            scope: of who asks.
            key_id: that it is to have.
            user_id: of the service that it is for.
            name: for people.
            permissions: what the key allows.
            lifetime: after which it is no good.

        Raises:
            InvalidRequestError: there is no such service in the organisation, or the role of
                services does not include one of the permissions.

        """
        excess = permissions - ALLOWED[Role.SERVICE]
        if excess:
            raise errors.InvalidRequestError(
                f"permissions: services do not have {', '.join(sorted(excess))}."
            )
        key = api_keys.new_key()
        made = ApiKey(
            id=key_id,
            user_id=user_id,
            name=name,
            digest=tokens.digest(key),
            beginning=key[: api_keys.SHOWN],
            permissions=sorted(permissions),
            expires_at=now() + lifetime,
        )
        await self._database.write(partial(_create, made), scope)
        noted().detail.update(user_id=user_id, permissions=made.permissions)
        return made, key

    async def get(self, scope: Scope, key_id: str) -> ApiKey:
        """Return a key.

        Raises:
            NotFoundError: there is none of this id in the organisation.

        """
        asked = select(ApiKey).where(col(ApiKey.id) == key_id)
        found: ApiKey | None = await self._database.read(
            lambda session: session.scalar(asked), scope
        )
        if found is None:
            raise errors.NotFoundError(_NO_SUCH_KEY)
        return found

    async def page(self, scope: Scope, limit: int, cursor: str | None) -> paging.Page[ApiKey]:
        """List the keys of the organisation, newest first, expired ones too.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(ApiKey)
            .where(*paging.after(ApiKey, cursor))
            .order_by(*paging.newest_first(ApiKey))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def revoke(self, scope: Scope, key_id: str) -> None:
        """Remove a key: it is no good from the next request on.

        Raises:
            NotFoundError: there is none of this id in the organisation.

        """
        removal = (
            delete(ApiKey)
            .where(col(ApiKey.id) == key_id)
            .returning(col(ApiKey.id))
            .execution_options(synchronize_session=False)
        )
        found = is_id(key_id) and await self._database.write(
            lambda session: session.scalar(removal), scope
        )
        if not found:
            raise errors.NotFoundError(_NO_SUCH_KEY)


def _create(key: ApiKey, session: Session) -> None:
    service = select(col(User.id)).where(
        col(User.id) == key.user_id, col(User.role) == Role.SERVICE
    )
    if session.scalar(service) is None:
        raise errors.InvalidRequestError(
            "user_id: there is no user with the role service of this id in your organisation."
        )
    session.add(key)
