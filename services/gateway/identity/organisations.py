"""Organisations: made, shared, listed. By the command line; over REST one sees one's own."""

import unicodedata
from collections.abc import Mapping
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.records import Organisation

_LONGEST = 100


class Organisations:
    """The organisations of this gateway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, name: str, *, shared: bool) -> Organisation:
        """Make an organisation, as yet without users.

        Raises:
            InvalidRequestError: the name does not keep the rules.
            ConflictError: the name is taken.

        """
        made = Organisation(name=_checked(name), shared=shared)
        try:
            await self._database.write(lambda session: session.add(made))
        except IntegrityError as error:
            raise errors.ConflictError("This name is taken. Choose another one.") from error
        _note(made)
        return made

    async def called(self, name: str) -> Organisation:
        """Return the organisation of a name.

        Raises:
            NotFoundError: there is none.

        """
        return await self._database.read(partial(_called, name))

    async def share(self, name: str, *, shared: bool) -> Organisation:
        """Let its users see each other's records, or only their own, from the next request on.

        Raises:
            NotFoundError: there is none of this name.

        """

        def change(session: Session) -> Organisation:
            organisation = _called(name, session)
            organisation.shared = shared
            _note(organisation)
            return organisation

        return await self._database.write(change)

    async def bound(self, name: str, quotas: Mapping[str, int | None]) -> Organisation:
        """Change how much may be kept for it, from the next picture on.

        Args:
            name: of the organisation.
            quotas: by the names of their columns; None for what the settings say.

        Raises:
            NotFoundError: there is none of this name.

        """

        def change(session: Session) -> Organisation:
            organisation = _called(name, session)
            for column, most in quotas.items():
                setattr(organisation, column, most)
            _note(organisation)
            return organisation

        return await self._database.write(change)

    async def all(self) -> list[Organisation]:
        """Return all, by name."""
        rows = select(Organisation).order_by(col(Organisation.name))
        return await self._database.read(lambda session: list(session.scalars(rows)))


def _called(name: str, session: Session) -> Organisation:
    rows = select(Organisation).where(col(Organisation.name) == _checked(name))
    found: Organisation | None = session.scalar(rows)
    if found is None:
        raise errors.NotFoundError(f"There is no organisation {name!r}.")
    return found


def _note(organisation: Organisation) -> None:
    """Say in the audit what was changed."""
    noted().concerns(organisation.id)
    noted().within(organisation.id)
    noted().detail["shared"] = organisation.shared


def _checked(name: str) -> str:
    kept = name.strip()
    # Category C is control characters, halves of characters, and what only turns the line.
    if not 1 <= len(kept) <= _LONGEST or any(unicodedata.category(c)[0] == "C" for c in kept):
        raise errors.InvalidRequestError(
            f"The name of an organisation has 1 to {_LONGEST} printable characters."
        )
    return kept
