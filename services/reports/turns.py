"""Whose turn it is at the renderers: first come first served, but one long report at a time."""

import asyncio
from typing import NamedTuple


class _Turn(NamedTuple):
    is_long: bool
    begun: asyncio.Future[None]


class Turns:
    """So many places, of which long work takes one at a time.

    Who waits is passed only by short work, and only while another long one is at work: when that
    ends, the first in line goes on, whichever it is. So neither kind can starve the
    other, nor at work, where ``Typesetting`` shares out the time.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._long_at_work = False
        self._line: list[_Turn] = []

    def waiting(self, *, is_long: bool) -> int:
        """Return how many of a kind wait."""
        return sum(turn.is_long == is_long for turn in self._line)

    def has_room(self, *, is_long: bool) -> bool:
        """Say whether work of a kind would begin at once."""
        return self._free > 0 and not (is_long and self._long_at_work)

    async def take(self, *, is_long: bool) -> None:
        """Wait for a place; whoever has it gives it back."""
        turn = _Turn(is_long, asyncio.get_running_loop().create_future())
        self._line.append(turn)
        self._begin_next()
        try:
            await turn.begun
        except asyncio.CancelledError:
            if turn in self._line:
                self._line.remove(turn)
            else:  # the place came at the moment in which the caller left
                self.give_back(is_long=is_long)
            raise

    def give_back(self, *, is_long: bool) -> None:
        """Free a place."""
        self._free += 1
        self._long_at_work &= not is_long
        self._begin_next()

    def _begin_next(self) -> None:
        for turn in tuple(self._line):
            # Those who were cancelled and do not know it yet still stand in line.
            if self.has_room(is_long=turn.is_long) and not turn.begun.done():
                self._line.remove(turn)
                self._free -= 1
                self._long_at_work |= turn.is_long
                turn.begun.set_result(None)
