"""The end of a process, although a thread inside a runtime can be joined by nobody."""

import faulthandler
import os
import threading

from services.inference.watch import Watch

_LOADS_S = 1
"""Seconds that a model which is being loaded may still take: nobody waits for it any more."""

_LAST_S = 5
"""Seconds that everything may take to close."""


class Ending:
    """Sees to it that the process ends once everybody was answered.

    Where only a model is still being loaded, it ends without it and well. Where a run hangs, it
    ends with status 1, and says on stderr where each thread was.
    """

    def __init__(self, watch: Watch) -> None:
        """Build from who knows what runs."""
        self._watch = watch
        self._over = threading.Event()

    def begin(self, *, well: bool) -> None:
        """Give what is to be closed a few seconds from now on.

        Args:
            well: whether nothing has hung so far.

        """
        # Not a thread of Python's: what hangs may hold the interpreter's lock.
        faulthandler.dump_traceback_later(_LAST_S, exit=True)
        if well:
            threading.Thread(target=self._leave_loads, name="ending", daemon=True).start()

    def over(self) -> None:
        """Note that all is closed, or never had to be."""
        self._over.set()
        faulthandler.cancel_dump_traceback_later()

    def _leave_loads(self) -> None:
        while not self._over.wait(_LOADS_S):
            if not self._watch.running:
                os._exit(0)
