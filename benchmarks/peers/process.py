"""A server as a measurement sees it: processes, what they burn and what they hold."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_MARK = "PEER_RUN"
"""Every process of a server carries this variable, also those that have left its tree."""

_STOPS_WITHIN_S = 15


@dataclass(frozen=True, slots=True)
class Memory:
    """What all processes of a server hold, in MiB."""

    processes: int
    rss_mb: int
    pss_mb: int


class Server:
    """A running server with all its processes."""

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        """Start it.

        Args:
            command: what to run.
            variables: added to this process's environment.
            folder: to run it in.
            log: what it prints goes there.

        """
        self.log = log
        self._mark = uuid.uuid4().hex
        environment = {**os.environ, **variables, _MARK: self._mark}
        with log.open("wb") as output:
            self._main = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        """Say whether the process that was started is gone."""
        return self._main.poll() is not None

    def cpu_s(self) -> float:
        """Return processor seconds that the living processes have used so far."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> Memory:
        """Return what the processes hold now; shared pages count in full in RSS, once in PSS."""
        rss = pss = count = 0
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                held = process.memory_full_info()
                rss, pss, count = rss + held.rss, pss + held.pss, count + 1
        return Memory(count, round(rss / 2**20), round(pss / 2**20))

    def stop(self) -> None:
        """End it in its own way, and what is left of it by force."""
        self._main.send_signal(signal.SIGTERM)
        until = time.monotonic() + _STOPS_WITHIN_S
        while time.monotonic() < until and any(self._processes()):
            self._main.poll()
            time.sleep(0.1)
        for process in self._processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self._main.wait()

    def _processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get(_MARK) == self._mark
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
