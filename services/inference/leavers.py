"""Who leaves before their rows run, told to whoever counts."""

import asyncio
from typing import Any

from services.inference.line import Waiting
from services.inference.observer import Observer
from services.inference.refusal import CLOCK_SLACK_S, DeadlinePassedError


class Leavers:
    """Tells those whose time is up from those who just left."""

    def __init__(self, observer: Observer) -> None:
        """Build from who counts."""
        self._loop = asyncio.get_running_loop()
        self._observer = observer

    def is_one(self, waiting: Waiting[Any]) -> bool:
        """Look, in the very moment of the run, whether the caller is gone; count it if so."""
        if self._loop.time() >= waiting.deadline:
            waiting.fail(DeadlinePassedError())
        if waiting.is_wanted:
            return False
        self.count(waiting)
        return True

    def count(self, waiting: Waiting[Any]) -> None:
        """Count a row that is not run."""
        expired = self._loop.time() >= waiting.deadline - CLOCK_SLACK_S
        try:
            (self._observer.expired if expired else self._observer.cancelled)(waiting)
        except Exception as error:  # noqa: BLE001 - told to the loop, which logs it
            # Whoever counts must not fail; if it does, that is no reason to lose a row.
            trouble = {"message": "a leaver could not be counted", "exception": error}
            self._loop.call_exception_handler(trouble)
