"""Runs a shadow version on pictures that the stable one has answered, and compares the two.

Nobody waits for it: it runs after the answer has been given, one picture at a time, and only
while no picture is in work. What finds no room is dropped and counted, never kept for later.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from services import telemetry
from services.inference import imaging
from services.inference.imaging import Pixels, View
from services.inference.lesion import THRESHOLD
from services.inference.metrics import Metrics
from services.inference.onnx_model import Outputs, Provenance
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError, DrainingError, RefusedError
from services.inference.stage import ModelStage

_BULK = Urgency(priority=Priority.BULK)
_NO_ROOM = (RefusedError, DeadlinePassedError, DrainingError)

_log = telemetry.logger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A shadow and what the stable version answered, for one picture."""

    stage: ModelStage
    stable: Outputs

    @property
    def provenance(self) -> Provenance:
        """Which model the shadow is."""
        return self.stage.model.provenance


class Shadows:
    """Compares shadows of both models."""

    def __init__(self, room: Callable[[], bool], threads: Executor, metrics: Metrics) -> None:
        """Begin with nothing to compare.

        Args:
            room: says whether nobody would wait for what is run now.
            threads: where pictures are scaled for a shadow that takes another size.
            metrics: where the comparison is shown.

        """
        self._room = room
        self._threads = threads
        self._metrics = metrics
        self._task: asyncio.Task[None] | None = None
        self._complained: set[Provenance] = set()

    def offer(self, view: View, candidates: Sequence[Candidate]) -> None:
        """Compare candidates on a picture if there is room; returns at once, never fails."""
        if not candidates:
            return
        if self._task is not None or not self._room():
            for candidate in candidates:
                self._count(candidate, "dropped")
            return
        self._task = asyncio.create_task(self._run(view, candidates))
        self._task.add_done_callback(self._done)

    async def close(self) -> None:
        """Stop comparing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _done(self, _: asyncio.Task[None]) -> None:
        self._task = None

    async def _run(self, view: View, candidates: Sequence[Candidate]) -> None:
        for candidate in candidates:
            self._count(candidate, await self._compare(view, candidate))

    async def _compare(self, view: View, candidate: Candidate) -> str:
        """Run one candidate and return what became of it."""
        if not self._room():
            return "dropped"
        try:
            tensor = await self._tensor(view, candidate.stage.model.input_size)
            shadow = (await candidate.stage.submit(tensor, _BULK)).output
            self._observe(candidate, shadow)
        except _NO_ROOM:
            return "dropped"
        except Exception as error:  # noqa: BLE001 - a shadow's trouble is nobody's else
            self._complain(candidate.provenance, error)
            return "failed"
        return "compared"

    async def _tensor(self, view: View, size: int) -> Pixels:
        if size in view.tensors:
            return view.tensors[size]
        kept = Image.fromarray(view.kept)
        scaling = asyncio.get_running_loop()
        return await scaling.run_in_executor(self._threads, imaging.squash, kept, size)

    def _observe(self, candidate: Candidate, shadow: Outputs) -> None:
        version = candidate.provenance.version
        if "mask" in shadow:
            overlap = dice(candidate.stable["mask"][..., 0], shadow["mask"][..., 0])
            self._metrics.shadow_dice.labels(version).observe(overlap)
            return
        ours, theirs = candidate.stable["probabilities"], shadow["probabilities"]
        agreed = "yes" if ours.argmax() == theirs.argmax() else "no"
        self._metrics.shadow_agreements.labels(version, agreed).inc()
        difference = float(np.abs(ours - theirs).max())
        self._metrics.shadow_difference.labels(version).observe(difference)

    def _complain(self, provenance: Provenance, error: Exception) -> None:
        """Log the first failure of a version; the counter has them all."""
        if provenance not in self._complained:
            self._complained.add(provenance)
            _log.warning(
                "shadow failed",
                model=provenance.name,
                version=provenance.version,
                reason=f"{error} ({error.__cause__})" if error.__cause__ else str(error),
            )

    def _count(self, candidate: Candidate, result: str) -> None:
        provenance = candidate.provenance
        self._metrics.shadow_runs.labels(provenance.name, provenance.version, result).inc()


def dice(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return how far two masks overlap (L. R. Dice, Ecology 26, 1945).

    Args:
        one: float32, S x S, 0..1; lesion from ``THRESHOLD`` on.
        other: the same, perhaps of another size; it is scaled to the first.

    Returns:
        0 apart .. 1 the same; 1 too where neither has a lesion.

    """
    if other.shape != one.shape:
        other = cv2.resize(other, one.shape[::-1], interpolation=cv2.INTER_LINEAR)
    first, second = one >= THRESHOLD, other >= THRESHOLD
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0
