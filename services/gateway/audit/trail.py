"""The trail: what is written to it is durable when its writer goes on.

Rows that come while others are being written wait, and go together in the next transaction: the
more there is to do, the less each costs. Where one of them cannot be written, each goes alone, so
that none is refused for another.
"""

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import fields as fields_of
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from services import telemetry
from services.gateway import errors, kinds
from services.gateway.audit import links
from services.gateway.audit.chain import Keys, moment
from services.gateway.audit.note import Note, noted
from services.gateway.database import Database, at_last
from services.gateway.metrics import Metrics
from services.gateway.records import now

_AT_ONCE = 256
_ANCHORED_EVERY_S = 60
_UNRECORDED = "This cannot be recorded now, and what is not recorded is not done. Try again."
_REFUSED, _FAILED = 400, 500
CLIENT_LEFT = 499
"""What a proxy's log calls a client that left before its answer."""

_Result = TypeVar("_Result")
_Row = tuple[links.Fields, "asyncio.Future[None]"]
_OWN = {"begun", "foreseen", "told", "entered"}
_SAID = tuple(each.name for each in fields_of(Note) if each.name not in _OWN)

_log = telemetry.logger(__name__)


class Trail:
    """Writes rows, in groups."""

    def __init__(self, database: Database, keys: Keys, metrics: Metrics) -> None:
        """Build over the database.

        Args:
            database: has the rows of all organisations.
            keys: to hash them with.
            metrics: counts rows, and groups that could not be written.

        """
        self._database = database
        self._keys = keys
        self._metrics = metrics
        self._waiting: list[_Row] = []
        self._anchored: dict[str, float] = {}
        self._writing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Go on with the current key where there was none before."""
        await self._database.write(partial(links.rekey, self._keys))

    async def begin(self, note: Note) -> None:
        """Write that something is about to be done; raises as ``end`` does."""
        await self._add(note, "begun", None)
        note.begun = True

    async def end(self, note: Note, status: int | None = None) -> None:
        """Write what became of something.

        Args:
            note: what it is.
            status: of its answer over HTTP; None for what had no answer.

        Raises:
            UnavailableError: it cannot be written.

        """
        # They wait together, and so are nearly always in one transaction.
        await asyncio.gather(*(self._add(each, _outcome(status), status) for each in note.parted()))

    @contextlib.contextmanager
    def together(
        self, made_id: str, work: Callable[[Session], _Result]
    ) -> Iterator[Callable[[Session], _Result]]:
        """Write that something is made in the transaction that makes it: both, or neither.

        Where nobody knows beforehand what it will be answered with, the row is written when it is.

        Args:
            made_id: of what is made.
            work: makes it, in a transaction; anew, where that is tried again.

        Yields:
            What does both.

        """
        note = noted()
        made = replace(note, subject_ids=[*note.subject_ids, made_id])
        heads: list[links.Fields] = []

        def write(session: Session) -> None:
            row = fields(made, _outcome(note.foreseen), note.foreseen)
            heads[:] = links.add([row], self._keys, session)

        def both(session: Session) -> _Result:
            if note.foreseen is not None:
                at_last(session, write)
            return work(session)

        yield both
        if heads:
            note.told = note.foreseen
            # Whoever leaves now leaves a row that tells of what there is.
            note.concerns(made_id)
            self._written(heads, 1)

    async def close(self) -> None:
        """Wait until all is written."""
        while self._writing is not None:
            await self._writing

    def _add(self, note: Note, outcome: str, status: int | None) -> "asyncio.Future[None]":
        """Let a row be written; return what is done when it is."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((fields(note, outcome, status), written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return written

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
                await self._write_group(group)
        finally:
            self._writing = None

    async def _write_group(self, group: list[_Row]) -> None:
        """Write some rows, and tell who waits for them."""
        try:
            rows = [fields for fields, _ in group]
            heads = await self._database.write(partial(links.add, rows, self._keys))
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
            if len(group) > 1 and kinds.kind_of(error) is kinds.UNKNOWN:
                # Not the database: one of them.
                for row in group:
                    await self._write_group([row])
                return
            self._metrics.audit_failures.inc(len(group))
            _log.error("audit rows not written", rows=len(group), exc_info=error)
            _tell(group, _UNRECORDED)
        else:
            self._written(heads, len(group))
            _tell(group)

    def _written(self, heads: list[links.Fields], rows: int) -> None:
        """Count rows, and tell the log, which is kept elsewhere, where chains are now and then."""
        self._metrics.audit_rows.inc(rows)
        for head in heads:
            chain = head["organisation_id"]
            if time.monotonic() >= self._anchored.get(chain, -math.inf):
                self._anchored[chain] = time.monotonic() + _ANCHORED_EVERY_S
                _log.info("audit anchor", **head)


def _tell(group: list[_Row], refusal: str | None = None) -> None:
    for _, written in group:
        # Who waited may have left.
        if written.done():
            continue
        if refusal is None:
            written.set_result(None)
        else:
            written.set_exception(errors.UnavailableError(refusal))


def _outcome(status: int | None) -> str:
    if status is None or status < _REFUSED:
        return "done"
    if status == CLIENT_LEFT:
        return "left"
    return "refused" if status < _FAILED else "failed"


def fields(note: Note, outcome: str, status: int | None = None) -> links.Fields:
    """Return what a row says, but for its place in a chain."""
    return {
        **{name: getattr(note, name) for name in _SAID},
        "at": moment(now()),
        "subject_ids": " ".join(note.subject_ids) or None,
        "detail": json.dumps(note.detail, sort_keys=True) if note.detail else None,
        "outcome": outcome,
        "status": status,
    }
