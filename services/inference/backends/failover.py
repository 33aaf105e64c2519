"""A backend that can be lost, and one that cannot to go on with."""

from collections.abc import Mapping

import numpy as np

from services import telemetry
from services.inference.backends.backend import Backend, Identity, Ran, Tensor
from services.inference.backends.loss import Loss
from services.inference.signature import Signature

_PATIENCE = 3
"""So many failures in a row are no chance: what fails so is not asked again."""

_log = telemetry.logger(__name__)


class Failover:
    """Runs on the first backend; what fails there runs on the second at once.

    A batch that fails on both is at fault itself: its error is the caller's, and the first
    backend keeps its good name. So no picture can take the graphics card away from others.
    """

    def __init__(self, first: Backend, second: Backend, loss: Loss) -> None:
        """Begin with the first.

        Args:
            first: the faster one.
            second: open and ready; the same model.
            loss: is told when the first is given up.

        """
        self._first = first
        self._second = second
        self._loss = loss
        self._failures = 0
        self._lost = False

    @property
    def identity(self) -> Identity:
        """What would run a batch that came now."""
        return (self._second if self.lost else self._first).identity

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the file says of itself."""
        return self._first.metadata

    @property
    def signature(self) -> Signature:
        """What goes in and what comes out."""
        return self._first.signature

    @property
    def on_device(self) -> bool:
        """Whether batches pay on what would run one that came now."""
        return (self._second if self.lost else self._first).on_device

    @property
    def lost(self) -> bool:
        """Whether the first backend is given up, which is for good."""
        return self._lost

    def run(self, batch: Tensor) -> Ran:
        """Run a batch."""
        if self.lost:
            return self._second.run(batch)
        try:
            ran = self._first.run(batch)
        except Exception as error:  # noqa: BLE001 - runtimes raise classes of their own making
            return self._run_again(batch, str(error))
        if not _is_sound(ran):
            return self._run_again(batch, "it answered something that is no number")
        self._failures = 0  # a run that began before the loss brings nothing back
        return ran

    def _run_again(self, batch: Tensor, why: str) -> Ran:
        ran = self._second.run(batch)
        if _is_sound(ran):
            self._failures += 1
            if self._failures >= _PATIENCE:
                self._lost = True
                self._loss.report(why)
            _log.error(
                "a batch failed and was run again elsewhere",
                failed_on=self._first.identity.execution_provider,
                ran_on=ran.by.execution_provider,
                failures_in_a_row=self._failures,
                given_up=self.lost,
                reason=why,
            )
        return ran


def _is_sound(ran: Ran) -> bool:
    return all(np.isfinite(result).all() for result in ran.results)
