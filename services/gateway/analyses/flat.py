"""Pictures of installations from before organisations had folders of their own."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial

from sqlalchemy import select, union
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway.analyses.leftovers import NAMING
from services.gateway.database import EVERYTHING, Database
from services.gateway.store import Folder

# As many as in ``leftovers``.
_NAMES_AT_ONCE = 300

_log = telemetry.logger(__name__)


class Flat:
    """Files that lie in one folder for all organisations."""

    def __init__(self, database: Database, folder: Folder) -> None:
        self._database = database
        self._folder = folder

    async def deal_out(self) -> None:
        """Give each organisation the files that its records have; nobody's go.

        Whoever is stopped within goes on at the next boot. Where no file is anybody's, this is
        more likely the wrong database, and all stay.
        """
        names = await self._folder.unassigned()
        dealt = 0
        nobodys: list[str] = []
        for start in range(0, len(names), _NAMES_AT_ONCE):
            some = names[start : start + _NAMES_AT_ONCE]
            owners = await self._database.read(partial(_owners, some), EVERYTHING)
            await self._folder.assign(owners)
            dealt += len(owners)
            nobodys += set(some) - owners.keys()
        if dealt:
            await self._folder.discard(nobodys)
            _log.info("pictures were given folders of their organisations", pictures=dealt)


def _owners(names: Sequence[str], session: Session) -> dict[str, set[str]]:
    """Return the organisations that have records of some files, by the files' names."""
    rows = union(
        *(
            select(col(column), col(column.class_.organisation_id)).where(col(column).in_(names))
            for column in NAMING
        )
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for name, organisation_id in session.execute(rows):
        found[name].add(organisation_id)
    return dict(found)
