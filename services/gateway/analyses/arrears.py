"""Analyses of versions before: their columns are filled and their indexes built.

Answers that they wrote have not all columns that are counted and searched by, and PostgreSQL may
lack indexes. What is not filled yet is not counted and not found.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, func

from services import telemetry
from services.gateway.arrears import OldRows
from services.gateway.database import EVERYTHING, Database, missing_indexes
from services.gateway.records import UNFILLED, Analysis, Record, Time, kept_times

_ANALYSES = Record.metadata.tables[str(Analysis.__tablename__)]


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


class AnalysisArrears:
    """Fills columns and has indexes built."""

    def __init__(self, database: Database, build: Callable[[], Awaitable[list[str]]]) -> None:
        """Build over the records.

        Args:
            database: has them.
            build: builds the indexes that are missing, and returns their names.

        """
        self._database = database
        self._build = build

    async def do(self) -> None:
        """Do all there is: first the columns, by which indexes are then built."""
        if filled := await _UNFILLED_ANALYSES.fill(self._database):
            _log.info("analyses of a version before have been filled", analyses=filled)
        lacking = await self._database.read(missing_indexes, EVERYTHING)
        # Or another replica builds them.
        if lacking and (built := await self._build()):
            _log.info("indexes of analyses have been built", indexes=built)


def _fill(connection: Connection, analyses: Sequence[Row[Any]]) -> None:
    connection.execute(_FILLING, [_filled(each.id, each.findings) for each in analyses])


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


_UNFILLED_ANALYSES = OldRows(_ANALYSES, UNFILLED, ("findings",), _fill)
