"""As much as goes through a road while its callers never pause."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle

from benchmarks.loops import Road
from benchmarks.processor import Meter

_WARM_S = 0.3
"""Until every caller is under way; not counted."""

_LOOK_S = 0.005


@dataclass(frozen=True, slots=True)
class Saturated:
    """What went through.

    Attributes:
        per_s: pictures a second.
        cpu_s: seconds of processor time that the measured processes used for each.
        callers_s: the same of this process, in which the callers are.

    """

    per_s: float
    cpu_s: float
    callers_s: float


def saturated(
    road: Road, pictures: Sequence[bytes], callers: int, seconds: float, meter: Meter
) -> Saturated:
    """Send pictures without a pause, and count what arrives in a window of full load.

    Args:
        road: where they go.
        pictures: taken in turn.
        callers: threads, each with one picture on its way at any time.
        seconds: length of the window; it ends no sooner than something has arrived in it.
        meter: of the processes that do the work.

    """
    arrived = _Counter()
    over = threading.Event()

    def call() -> None:
        for picture in cycle(pictures):
            if over.is_set():
                return
            road(picture)
            arrived.add()

    with ThreadPoolExecutor(callers) as pool:
        calling = [pool.submit(call) for _ in range(callers)]
        try:
            time.sleep(_WARM_S)
            before = (time.perf_counter(), arrived.count, meter.seconds(), time.process_time())
            time.sleep(seconds)
            while arrived.count == before[1] and not any(each.done() for each in calling):
                time.sleep(_LOOK_S)
            after = (time.perf_counter(), arrived.count, meter.seconds(), time.process_time())
        finally:
            over.set()
        for each in calling:
            each.result()
    passed_s, count, cpu_s, callers_s = (new - old for new, old in zip(after, before, strict=True))
    answers = max(1, count)
    return Saturated(count / passed_s, cpu_s / answers, callers_s / answers)


class _Counter:
    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            self.count += 1
