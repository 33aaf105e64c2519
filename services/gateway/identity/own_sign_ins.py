"""The sign-ins of a user, as they themselves see and end them."""

from sqlalchemy import ColumnElement, select, update
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.database import Database
from services.gateway.identity.idleness import Idleness
from services.gateway.records import SignIn, is_id, now


class OwnSignIns:
    """The sign-ins of one user at a time that have not ended."""

    def __init__(self, database: Database, idleness: Idleness) -> None:
        self._database = database
        self._idleness = idleness

    async def page(self, user_id: str, limit: int, cursor: str | None) -> paging.Page[SignIn]:
        """List them, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(SignIn)
            .where(*self._live(user_id), *paging.after(SignIn, cursor))
            .order_by(*paging.newest_first(SignIn))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)))
        return paging.page(found, limit)

    async def end(self, user_id: str, sign_in_id: str) -> None:
        """End one: none of its tokens is good any more.

        Raises:
            NotFoundError: the user has none of this id.

        """
        ending = (
            update(SignIn)
            .where(*self._live(user_id), col(SignIn.id) == sign_in_id)
            .values(revoked_at=now())
            .returning(col(SignIn.id))
            .execution_options(synchronize_session=False)
        )
        found = is_id(sign_in_id) and await self._database.write(
            lambda session: session.scalar(ending)
        )
        if not found:
            raise errors.NotFoundError("There is no sign-in of this id among yours.")

    def _live(self, user_id: str) -> list[ColumnElement[bool]]:
        return [
            col(SignIn.user_id) == user_id,
            col(SignIn.revoked_at).is_(None),
            col(SignIn.expires_at) > now(),
            col(SignIn.used_at) > self._idleness.since(),
        ]
