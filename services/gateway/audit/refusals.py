"""Refusals that come again and again: a row for the first, and one for how many followed.

What a quota counts is bounded, and has a row each. What is refused by a quota, or before any counts
it, is not: a flood of it would fill the database, and cost a transaction each, for nothing that one
row does not say. The log has a line for each all the same.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, replace

from services import telemetry
from services.gateway import errors
from services.gateway.audit.note import Note
from services.gateway.audit.trail import Trail
from services.gateway.networks import customer

WINDOW_S = 60.0
"""How long what follows a refusal is counted before it has a row."""

_MOST = 10_000
"""Callers that are counted apart; further ones are counted together."""

_log = telemetry.logger(__name__)


@dataclass(slots=True)
class _Counted:
    """The last refusal of its kind, and how many there were after the first, which has a row."""

    note: Note
    status: int
    first: asyncio.Task[None]
    ending: asyncio.TimerHandle | None = None
    followed: int = 0


class Refusals:
    """Writes the first refusal of a caller, an operation and a problem; counts those after it."""

    def __init__(self, trail: Trail) -> None:
        """Build over the trail that has the rows."""
        self._trail = trail
        self._counted: dict[Hashable, _Counted] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def end(self, note: Note, status: int) -> None:
        """Write that something was refused, or count it.

        Raises:
            UnavailableError: it cannot be written.

        """
        who: Hashable = (note.user_id, note.api_key_id, customer(note.address))
        if len(self._counted) >= _MOST:
            who = None
        kind = (who, note.operation, note.problem)
        counted = self._counted.get(kind)
        if counted is None:
            first = asyncio.create_task(self._write_first(kind, note, status))
            counted = self._counted[kind] = _Counted(note, status, first)
        else:
            counted.note, counted.followed = note, counted.followed + 1
        # Nobody is answered before there is a row; it is written also if the first one leaves.
        await asyncio.shield(counted.first)

    async def close(self) -> None:
        """Write what was counted."""
        if self._counted:
            await asyncio.wait([counted.first for counted in self._counted.values()])
        for kind, counted in list(self._counted.items()):
            if counted.ending is not None:
                counted.ending.cancel()
                self._end_window(kind)
        if self._writing:
            await asyncio.wait(self._writing)

    async def _write_first(self, kind: Hashable, note: Note, status: int) -> None:
        try:
            await self._trail.end(note, status)
        except BaseException:
            del self._counted[kind]
            raise
        window = asyncio.get_running_loop().call_later(WINDOW_S, self._end_window, kind)
        self._counted[kind].ending = window

    def _end_window(self, kind: Hashable) -> None:
        counted = self._counted.pop(kind)
        if counted.followed:
            task = asyncio.create_task(self._write(counted))
            self._writing.add(task)
            task.add_done_callback(self._writing.discard)

    async def _write(self, counted: _Counted) -> None:
        note = replace(counted.note, detail={**counted.note.detail, "followed": counted.followed})
        said = {"operation": note.operation, "problem": note.problem, "followed": counted.followed}
        try:
            await self._trail.end(note, counted.status)
        except errors.UnavailableError:
            _log.error("refusals not recorded", **said)
        else:
            _log.info("refusals followed", **said)
