"""What versions before left to be done for the records of a database, done beside other work.

A migration that saw to it would hold everybody up, and while replicas are replaced one by one,
those of before go on writing. It may be interrupted at any time, and goes on where it was.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Table, TextClause, bindparam, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services import telemetry
from services.gateway.database import EVERYTHING, Database, unscoped

_EVERY_S = 60.0
_AT_ONCE = 200

_log = telemetry.logger(__name__)


class Arrears:
    """Looks again and again for what is to be done."""

    def __init__(self, *kinds: Callable[[], Awaitable[None]]) -> None:
        """Build over what does all there is of one kind each."""
        self._kinds = kinds

    @contextlib.asynccontextmanager
    async def being_done(self) -> AsyncIterator[None]:
        """Look for them until the end."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def do(self) -> None:
        """Do all there is; a kind that fails is left to the next look, and holds up no other."""
        for kind in self._kinds:
            try:
                await kind()
            except (SQLAlchemyError, OSError) as error:
                # The next look may find the database there again.
                _log.warning("what a version before left waits", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - a fault of ours must not end all looks to come
                _log.exception("what a version before left is not done")

    async def _look(self) -> None:
        while True:
            await self.do()
            await asyncio.sleep(_EVERY_S)


class OldRows:
    """Rows of a table that lack what is kept of them by now."""

    def __init__(
        self,
        table: Table,
        lacking: TextClause,
        needed: Sequence[str],
        fill: Callable[[Connection, Sequence[Row[Any]]], None],
    ) -> None:
        """Build the statements that find them.

        Args:
            table: has them, each with an id.
            lacking: which of its rows they are.
            needed: the columns to fill them from.
            fill: fills some, of which it is given the id and these columns, so that they lack
                nothing any more.

        """
        self._fill = fill
        self._any = select(table.c.id).where(lacking).limit(1)
        self._some = (
            select(table.c.id, *(table.c[name] for name in needed))
            .where(lacking, table.c.id > bindparam("after"))
            .order_by(table.c.id)
            .limit(_AT_ONCE)
            # What somebody has in hand is seen to at the next look.
            .with_for_update(skip_locked=True)
        )

    async def fill(self, database: Database) -> int:
        """Fill them all, some at a time; return how many there were."""
        # Nearly always there is nothing, and no writer is held up to see that.
        found = await database.read(lambda session: unscoped(session).scalar(self._any), EVERYTHING)
        done, after = 0, ""
        while found:
            began = time.monotonic()
            ids = await database.write(partial(self._fill_some, after), EVERYTHING)
            if not ids:
                break
            done, after = done + len(ids), ids[-1]
            # Half of the time is for others.
            await asyncio.sleep(time.monotonic() - began)
        return done

    def _fill_some(self, after: str, session: Session) -> list[str]:
        """Fill some behind another, and return their ids."""
        connection = unscoped(session)
        rows = connection.execute(self._some, {"after": after}).all()
        if rows:
            self._fill(connection, rows)
        return [row.id for row in rows]
