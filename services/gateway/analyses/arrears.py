"""What versions before left to be done for the records of a database, done beside other work.

Answers that they wrote have not all columns that are counted and searched by, and PostgreSQL may
lack indexes. A migration that saw to it would hold everybody up. It may be interrupted at any
time, and goes on where it was; what is not filled yet is not counted and not found.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from sqlalchemy import BindParameter, bindparam, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from services import telemetry
from services.gateway.database import EVERYTHING, Database, missing_indexes, unscoped
from services.gateway.records import UNFILLED, Analysis, Record, Time, kept_times

# While replicas are replaced one by one, those of before go on writing.
_EVERY_S = 60.0
_AT_ONCE = 200

_ANALYSES = Record.metadata.tables[str(Analysis.__tablename__)]
_SOME = (
    select(_ANALYSES.c.id, _ANALYSES.c.findings)
    .where(UNFILLED, _ANALYSES.c.id > bindparam("after"))
    .order_by(_ANALYSES.c.id)
    .limit(_AT_ONCE)
    # What somebody has in hand is filled at the next look.
    .with_for_update(skip_locked=True)
)


def _new(name: str) -> BindParameter[Any]:
    return bindparam(f"new_{name}", type_=_ANALYSES.c[name].type)


_FILLED = ("malignant_probability", "suspicious", "cannot_assess_reasons", *Time)
_FILLING = (
    _ANALYSES.update()
    .where(_ANALYSES.c.id == bindparam("this"))
    # What is there stays: an answer of before may lack but the last columns.
    .values({name: func.coalesce(_ANALYSES.c[name], _new(name)) for name in _FILLED})
)

_log = telemetry.logger(__name__)


class Arrears:
    """Fills columns and has indexes built, for as long as there is something to do."""

    def __init__(
        self,
        database: Database,
        build: Callable[[], Awaitable[list[str]]],
        *before: Callable[[], Awaitable[None]],
    ) -> None:
        """Build over the records.

        Args:
            database: has them.
            build: builds the indexes that are missing, and returns their names.
            before: does what is to be done for other records, which are fewer.

        """
        self._database = database
        self._build = build
        self._before = before

    @contextlib.asynccontextmanager
    async def being_done(self) -> AsyncIterator[None]:
        """Look for them again and again until the end."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def do(self) -> None:
        """Do all there is: first the columns, by which indexes are then built."""
        for do in self._before:
            await do()
        # Nearly always there is nothing, and no writer is held up to see that.
        any_one = select(_ANALYSES.c.id).where(UNFILLED).limit(1)
        if await self._database.read(lambda session: unscoped(session).scalar(any_one), EVERYTHING):
            filled = await self._fill()
            _log.info("analyses of a version before have been filled", analyses=filled)
        lacking = await self._database.read(missing_indexes, EVERYTHING)
        # Or another replica builds them.
        if lacking and (built := await self._build()):
            _log.info("indexes of analyses have been built", indexes=built)

    async def _look(self) -> None:
        while True:
            try:
                await self.do()
            except (SQLAlchemyError, OSError) as error:
                # The next look may find the database there again.
                _log.warning("what a version before left waits", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - a fault of ours must not end all looks to come
                _log.exception("what a version before left is not done")
            await asyncio.sleep(_EVERY_S)

    async def _fill(self) -> int:
        done, after = 0, ""
        while True:
            began = time.monotonic()
            ids = await self._database.write(partial(_fill_some, after), EVERYTHING)
            if not ids:
                return done
            done, after = done + len(ids), ids[-1]
            # Half of the time is for others.
            await asyncio.sleep(time.monotonic() - began)


def _fill_some(after: str, session: Session) -> list[str]:
    """Fill some rows behind another, and return their names."""
    connection = unscoped(session)
    rows = connection.execute(_SOME, {"after": after}).all()
    if rows:
        connection.execute(_FILLING, [_filled(*row) for row in rows])
    return [row.id for row in rows]


def _filled(this: str, findings: dict[str, Any]) -> dict[str, Any]:
    judged = findings.get("classification") or {}
    reasons = findings.get("quality", {}).get("reasons", [])
    return {
        "this": this,
        "new_malignant_probability": judged.get("malignant_probability"),
        "new_suspicious": judged.get("suspicious"),
        "new_cannot_assess_reasons": None if judged else " ".join(reasons) or None,
        **{f"new_{name}": ms for name, ms in kept_times(findings.get("timings", {})).items()},
    }
