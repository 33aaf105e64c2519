"""The rows, read in their order or from the newest on, a bounded number at a time."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit.chain import Keys, moment
from services.gateway.audit.verification import Chain, Finding, Row
from services.gateway.database import EVERYTHING, AnyScope, Database
from services.gateway.records import DEFAULT_ORGANISATION, AuditHead, AuditRow

AT_ONCE = 500
"""Rows that are in memory at the same time when all are read."""

_LARGEST = 2**63 - 1
"""The largest number that the database has a place for."""

COLUMNS = tuple(AuditRow.model_fields)
_ROW: Select[Any] = select(*(col(getattr(AuditRow, name)) for name in COLUMNS))
_HEAD: Select[Any] = select(*(col(getattr(AuditHead, name)) for name in AuditHead.model_fields))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are asked for.

    Attributes:
        user: only those of what this user did.
        action: only those of this action.
        subject: only those of what was done to this record.
        since: only those of this moment or later, as rows write it.
        until: only those before this moment.

    """

    user: str | None = None
    action: str | None = None
    subject: str | None = None
    since: str | None = None
    until: str | None = None

    def said(self) -> dict[str, str]:
        """Return what is asked for, for the row of who asks."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def ending(self, at: datetime) -> "Asked":
        """Ask for nothing that is done from a moment on, so that what grows meanwhile ends."""
        return replace(self, until=min(self.until or moment(at), moment(at)))

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return what a row must meet."""
        found: list[ColumnElement[bool]] = []
        if self.user is not None:
            found.append(col(AuditRow.user_id) == self.user)
        if self.action is not None:
            found.append(col(AuditRow.action) == self.action)
        if self.subject is not None:
            found.append(col(AuditRow.subject_ids).contains(self.subject, autoescape=True))
        if self.since is not None:
            found.append(col(AuditRow.at) >= self.since)
        if self.until is not None:
            found.append(col(AuditRow.at) < self.until)
        return found


def line(row: Row) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(dict(row), ensure_ascii=False, separators=(",", ":"))


class Ledger:
    """Reads the rows of the organisations within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, scope: AnyScope, asked: Asked, limit: int, cursor: str | None
    ) -> tuple[list[Row], str | None]:
        """List rows, newest first.

        Returns:
            Some, and where the next page begins; None at the end.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        conditions = asked.conditions()
        if cursor is not None:
            conditions.append(col(AuditRow.sequence) < _read(cursor))
        rows = _ROW.where(*conditions).order_by(col(AuditRow.sequence).desc()).limit(limit + 1)
        found = await self._database.read(lambda session: _rows(session, rows), scope)
        more = len(found) > limit
        return found[:limit], str(found[limit - 1]["sequence"]) if more else None

    async def stream(
        self, scope: AnyScope, asked: Asked, chain: str | None = None, after: int | None = None
    ) -> AsyncIterator[list[Row]]:
        """Give all rows, oldest first, some at a time.

        Args:
            scope: whose.
            asked: which.
            chain: the one to read, where the scope has several.
            after: the number of the row to begin after; None to begin with the first.

        """
        conditions = asked.conditions()
        if chain is not None:
            conditions.append(col(AuditRow.organisation_id) == chain)
        while found := await self._database.read(partial(_some, conditions, after), scope):
            yield found
            after = found[-1]["sequence"]

    async def chains(self) -> list[str]:
        """Name the chains that there are, also those without a head or without rows."""
        named = [select(col(table.organisation_id)).distinct() for table in (AuditHead, AuditRow)]

        def work(session: Session) -> list[str]:
            return sorted({name for each in named for name in session.scalars(each)})

        return await self._database.read(work, EVERYTHING)

    async def verify(
        self, keys: Keys, anchors: Mapping[str, dict[int, str]] | None = None
    ) -> list[Chain]:
        """Verify all chains; each says what it found.

        Args:
            keys: that rows may be hashed with.
            anchors: hashes of rows that were written down elsewhere, by number, by chain.

        """
        known = anchors or {}
        there = set(await self.chains())
        names = there | set(known)
        chains = {name: await self._verify(name, keys, known.get(name, {})) for name in names}
        others = there - {DEFAULT_ORGANISATION}
        home = chains.get(DEFAULT_ORGANISATION)
        if home is not None and home.first == 1:
            for name in sorted(others - home.begun):
                home.findings.append(Finding(home.organisation_id, None, _untold(name)))
        # The chain that tells of others began with the first of them at the latest.
        begun = home.begun if home else {DEFAULT_ORGANISATION} if others else set()
        for name in begun - names:
            lost = Chain(name, keys)
            lost.findings.append(Finding(name, None, "it had begun, and is missing"))
            chains[name] = lost
        return [chains[name] for name in sorted(chains)]

    async def _verify(self, name: str, keys: Keys, anchors: dict[int, str]) -> Chain:
        chain, after, head = Chain(name, keys, anchors), None, None
        while True:
            before = chain.rows
            async for rows in self.stream(EVERYTHING, Asked(), name, after):
                for row in rows:
                    chain.take(row)
                after = rows[-1]["sequence"]
            head = await self._database.read(partial(_head, name), EVERYTHING)
            # It may have grown meanwhile.
            if head is None or head["sequence"] <= chain.sequence or chain.rows == before:
                break
        if head is None:
            chain.findings.append(Finding(name, None, "it has no head"))
        chain.end(head)
        return chain


def _untold(chain: str) -> str:
    return f"it does not tell that chain {chain} began, so it was begun anew"


def _some(conditions: list[ColumnElement[bool]], after: int | None, session: Session) -> list[Row]:
    """Read the next rows; no connection is held between two of these."""
    rest = [] if after is None else [col(AuditRow.sequence) > after]
    rows = _ROW.where(*conditions, *rest).order_by(col(AuditRow.sequence)).limit(AT_ONCE)
    return _rows(session, rows)


def _head(organisation_id: str, session: Session) -> Row | None:
    found = _rows(session, _HEAD.where(col(AuditHead.organisation_id) == organisation_id))
    return found[0] if found else None


def _rows(session: Session, asked: Select[Any]) -> list[Row]:
    return [dict(row) for row in session.execute(asked).mappings()]


def _read(cursor: str) -> int:
    """Return the number of the row that a cursor stands for."""
    # Before it is made a number: of ever so many digits that takes ever so long.
    ours = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(_LARGEST))
    if not ours or int(cursor) > _LARGEST:
        raise errors.InvalidRequestError(
            "The cursor is not one of ours. Use next_cursor as it was given, or none."
        )
    return int(cursor)
