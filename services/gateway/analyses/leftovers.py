"""Pictures that no record has are removed, whatever others do with the same ones meanwhile.

Others are other requests, and other gateways of the same database and store. A picture that is
to go is marked, in a transaction that sees that no record has it; then it is removed; then the
mark is done. Whoever records a picture looks, in the transaction of the record, for marks that
were not there when they published it: then it may be gone, and they publish it again. The two
transactions never run side by side, for each begins by holding the count of the organisation.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Select, bindparam, select, union
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors, storage_quotas
from services.gateway.database import EVERYTHING, Database, remove_old, unscoped
from services.gateway.records import Analysis, Organisation, Removal, new_id, now
from services.gateway.store import Store

NAMING: tuple[Any, ...] = (Analysis.image_sha256, Analysis.mask_sha256, Analysis.explanation_sha256)
"""The columns that name pictures."""

# SQLite takes a thousand parameters, and each name is asked for three times.
_NAMES_AT_ONCE = 300
# So few that a slow disk, too, is done with them while a store waits for it.
_REMOVED_AT_ONCE = 20
_MARKS_AT_ONCE = 1000

# Longer than any store takes to remove something: what is not done by then never will be.
_LEASE = timedelta(minutes=1)
# Longer than anybody takes from publishing to recording.
_REMEMBERED = timedelta(days=1)

_log = telemetry.logger(__name__)


class RemovedMeanwhileError(Exception):
    """Pictures may be gone since they were published.

    Attributes:
        marks: the removals that have ended, by the names of the pictures.
        done: whether all have.

    """

    def __init__(self, marks: Mapping[str, str], *, done: bool) -> None:
        super().__init__("pictures were removed meanwhile")
        self.marks = marks
        self.done = done


def see_that_all_stay(
    organisation_id: str, names: Sequence[str], seen: Mapping[str, str], session: Session
) -> None:
    """See that pictures are still there which were published when some removals were seen.

    For a transaction that has counted them.

    Raises:
        RemovedMeanwhileError: others were marked since.

    """
    named = {f"name_{place}": name for place, name in enumerate(names)}
    named["organisation"] = organisation_id
    rows = unscoped(session).execute(_marked(len(names)), named).all()
    over = {row.name: row.token for row in rows if _is_over(row)}
    if len(over) < len(rows) or over.items() - seen.items():
        raise RemovedMeanwhileError(over, done=len(over) == len(rows))


@functools.cache
def _marked(count: int) -> Select[str, str, bool, datetime]:
    """Return what finds the marks of so many pictures: built, and turned into SQL, once."""
    # A list as one parameter would be written into the SQL again for every picture.
    names: list[Any] = [bindparam(f"name_{place}") for place in range(count)]
    return select(
        col(Removal.name), col(Removal.token), col(Removal.done), col(Removal.marked_at)
    ).where(col(Removal.organisation_id) == bindparam("organisation"), col(Removal.name).in_(names))


class Leftovers:
    """Removes what no record has."""

    def __init__(self, database: Database, store: Store) -> None:
        self._database = database
        self._store = store

    async def forget(self, organisation_id: str, names: Sequence[str]) -> None:
        """Remove those of some pictures that no record has; what cannot go is left, and said."""
        try:
            await self._remove(organisation_id, names)
        except (OSError, SQLAlchemyError, errors.GatewayError):
            _log.exception("pictures were left behind", files=names)

    async def clear_at_boot(self) -> None:
        """Remove what processes left behind when they were killed, where that is soon done.

        A database without a single analysis is more likely the wrong one than all pictures are
        left over: then they stay.
        """
        await self._store.sweep()
        any_one = select(col(Analysis.id)).limit(1)
        found = await self._database.read(lambda session: session.scalar(any_one), EVERYTHING)
        if self._store.is_near and found is not None:
            await self.clear()

    async def clear(self) -> None:
        """Remove everything that no record has.

        Raises:
            StoreUnavailableError: something could not be removed; all else that could be was.

        """
        await self._store.sweep()
        trouble: errors.StoreUnavailableError | None = None
        async for organisation_id, names in self._store.settled():
            try:
                await self._remove(organisation_id, names)
            except errors.StoreUnavailableError as error:
                trouble = error
        oldest = now() - _REMEMBERED
        clean = partial(remove_old, at=Removal.marked_at, before=oldest, most=_MARKS_AT_ONCE)
        await self._database.write(clean, EVERYTHING)
        if trouble is not None:
            raise trouble

    async def _remove(self, organisation_id: str, names: Sequence[str]) -> None:
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = names[start : start + _NAMES_AT_ONCE]
            unused = partial(_unused, organisation_id, some)
            # Nearly always all have one, and nobody need be held up.
            found = sorted(await self._database.read(unused, EVERYTHING))
            for first in range(0, len(found), _REMOVED_AT_ONCE):
                few = found[first : first + _REMOVED_AT_ONCE]
                await self._remove_some(organisation_id, few)

    async def _remove_some(self, organisation_id: str, names: Sequence[str]) -> None:
        marks = await self._database.write(partial(_mark, organisation_id, names), EVERYTHING)
        await self._store.remove(organisation_id, marks)
        await self._database.write(partial(_finish, organisation_id, marks), EVERYTHING)


def _unused(organisation_id: str, names: Sequence[str], session: Session) -> set[str]:
    """Return those of some names that no record of an organisation has."""
    used = union(
        *(
            select(col(column)).where(
                col(column.class_.organisation_id) == organisation_id, col(column).in_(names)
            )
            for column in NAMING
        )
    )
    return set(names) - set(map(str, session.scalars(used)))


def _mark(organisation_id: str, names: Sequence[str], session: Session) -> dict[str, str]:
    """Mark what no record has, and nobody else is removing; return the marks by name."""
    if session.get(Organisation, organisation_id) is None:
        # Then this is more likely the wrong database.
        _log.warning("pictures of an unknown organisation stay", organisation=organisation_id)
        return {}
    storage_quotas.lock(organisation_id, session)
    unused = _unused(organisation_id, names, session)
    known = {row.name: row for row in session.scalars(_marks(organisation_id, unused))}
    marks: dict[str, str] = {}
    for name in unused:
        row = known.get(name)
        if row is None or _is_over(row):
            marks[name] = new_id()
            mark = Removal(organisation_id=organisation_id, name=name, token=marks[name])
            session.merge(mark)
    return marks


def _finish(organisation_id: str, marks: Mapping[str, str], session: Session) -> None:
    for row in session.scalars(_marks(organisation_id, marks)):
        # Whoever took longer than the lease is not the last to remove it.
        row.done = row.done or row.token == marks[row.name]


def _is_over(row: Any) -> bool:
    return bool(row.done or row.marked_at < now() - _LEASE)


def _marks(organisation_id: str, names: Iterable[str]) -> Select[Removal]:
    return select(Removal).where(
        col(Removal.organisation_id) == organisation_id, col(Removal.name).in_(names)
    )
