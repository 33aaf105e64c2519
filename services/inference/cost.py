"""What a batch costs, learned from the batches that ran: about ``a * n + b`` seconds.

``a`` is what each row adds, ``b`` what a run costs however small it is. On a CPU ``b`` is near
zero and batches save nothing; on a GPU ``b`` is most of it and they save nearly everything.
Nobody tells the service which: it fits the line to its own runs.

The fit is a Kalman filter over (a, b), that is, least squares with forgetting (R. E. Kalman,
"A New Approach to Linear Filtering and Prediction Problems", 1960). It expects the whole line
to rise and fall with the load far more than its slope to change, so that what was learned of
large batches outlives a time of small ones. A surprise counts for no more than twice its
expected size (P. J. Huber, "Robust Estimation of a Location Parameter", 1964), unless several
in a row say the same.
"""

import math
from dataclasses import dataclass

_NOISE = 0.2
"""Standard deviation of a run about the line, as a share of it."""

_LOAD_DRIFT = 0.03
"""How much the whole line may move from run to run, as a share of it."""

_LOAD_DRIFT_WHILE_STALE = 0.5
"""The same for a line that was not measured for so long that it is in doubt."""

_SHAPE_DRIFT = 0.003
"""How much ``a`` and ``b`` may move against each other, as a share of a lone row's cost."""

_LARGEST_SURPRISE = 2.0
"""In standard deviations; what exceeds it counts for this much."""

_UPHEAVAL = 0.1
"""How much ``a`` and ``b`` may then have moved against each other, as ``_SHAPE_DRIFT``."""

_SURPRISES_TO_BELIEVE = 4
"""So many in a row, all above or all below, are no chance: the cost has changed."""

_DOUBT = 2.0
"""In standard deviations: what is so much smaller than measured is beyond doubt."""

_LEAST_S = 1e-6
"""Clocks tick: no run takes less."""

STALE_S = 1.0
"""A cost that was measured longer ago is doubted, when it would turn somebody away."""


@dataclass(slots=True)
class _Uncertainty:
    """Covariance of (a, b)."""

    aa: float
    ab: float
    bb: float


class Cost:
    """The line for one model and its one input shape.

    Attributes:
        row_s: ``a``, seconds that each row adds; never negative.
        run_s: ``b``, seconds that a run costs however small; never negative.
        upheavals: how often the cost has changed all at once.
        measured_at: when a run was last measured, on the clock of whoever measures.

    """

    def __init__(self) -> None:
        """Begin with no measurement: every cost is zero, so nobody is refused for it."""
        self.row_s = 0.0
        self.run_s = 0.0
        self.measured_at = float("-inf")
        self._spread = _Uncertainty(0, 0, 0)
        self.upheavals = 0
        self._surprises = 0

    def seconds(self, rows: int) -> float:
        """Return the seconds that a batch of so many rows is expected to run."""
        return self.row_s * rows + self.run_s

    def surely_seconds(self, rows: int) -> float:
        """Return the same for whoever asks whether a larger batch pays.

        Only what a run costs beyond doubt counts as such; the rest counts with the rows. So
        chance does not line rows up that could run side by side.
        """
        row_s, run_s, spread = self.row_s, self.run_s, self._spread
        # Of b as a share of the whole line: that the line may rise or fall changes no share.
        variance = run_s**2 * spread.aa - 2 * row_s * run_s * spread.ab + row_s**2 * spread.bb
        doubt_s = _DOUBT * math.sqrt(max(0.0, variance)) / max(self.seconds(1), _LEAST_S)
        sure_s = max(0.0, run_s - doubt_s)
        return (row_s + run_s - sure_s) * rows + sure_s

    def is_stale(self, now: float) -> bool:
        """Say whether the last measurement is too old to refuse anybody for it."""
        return now - self.measured_at > max(STALE_S, self.seconds(1))

    def learn(self, rows: int, seconds: float, now: float) -> None:
        """Take one measurement in.

        Args:
            rows: in the batch as it ran, padding included.
            seconds: that it ran.
            now: the moment of the measurement.

        """
        seconds = max(seconds, _LEAST_S)
        if self.seconds(rows) == 0:
            self._guess(rows, seconds)
        elif self.is_stale(now):
            self._widen(_LOAD_DRIFT_WHILE_STALE**2)
        self._drift()
        self._correct(rows, seconds)
        self.measured_at = now

    def _guess(self, rows: int, seconds: float) -> None:
        # One size cannot tell a from b. Half and half makes the next batches a little larger
        # than one row, and so teaches the difference.
        self.row_s, self.run_s = seconds / 2 / rows, seconds / 2
        self._spread = _Uncertainty(self.row_s**2, 0, self.run_s**2)

    def _drift(self) -> None:
        load, shape = _LOAD_DRIFT**2, (_SHAPE_DRIFT * self.seconds(1)) ** 2
        self._widen(load, shape)

    def _widen(self, load: float, shape: float = 0.0) -> None:
        self._spread.aa += load * self.row_s**2 + shape
        self._spread.ab += load * self.row_s * self.run_s
        self._spread.bb += load * self.run_s**2 + shape

    def _correct(self, rows: int, seconds: float) -> None:
        spread, expected = self._spread, self.seconds(rows)
        # Covariance of the line's height at this size with a, with b, and its variance there.
        with_a = spread.aa * rows + spread.ab
        with_b = spread.ab * rows + spread.bb
        known = max(0.0, with_a * rows + with_b)
        variance = known + (_NOISE * expected) ** 2
        measured = seconds - expected
        surprise = self._bounded(measured, _LARGEST_SURPRISE * math.sqrt(variance))
        if abs(measured) > abs(surprise):
            # So much is the load's doing, or chance: it says nothing about a against b.
            self._scale(1 + known / variance * surprise / expected)
            return
        self.row_s += with_a / variance * surprise
        self.run_s += with_b / variance * surprise
        spread.aa -= with_a * with_a / variance
        spread.ab -= with_a * with_b / variance
        spread.bb -= with_b * with_b / variance
        self._stay_positive(rows)

    def _scale(self, factor: float) -> None:
        """Let the whole line rise or fall; it stays above zero, as what was measured is."""
        self.row_s *= factor
        self.run_s *= factor
        self._spread.aa *= factor**2
        self._spread.ab *= factor**2
        self._spread.bb *= factor**2

    def _bounded(self, surprise: float, largest: float) -> float:
        if abs(surprise) <= largest:
            self._surprises = 0
            return surprise
        sign = 1 if surprise > 0 else -1
        self._surprises = sign * (abs(self._surprises) + 1 if self._surprises * sign > 0 else 1)
        if abs(self._surprises) >= _SURPRISES_TO_BELIEVE:
            self._surprises = 0
            self.upheavals += 1
            self._widen(1.0, (_UPHEAVAL * self.seconds(1)) ** 2)  # the line is free to move
        return sign * largest

    def _stay_positive(self, rows: int) -> None:
        """Move a or b back to zero and keep the line's height at the size that was measured."""
        height = max(self.seconds(rows), _LEAST_S)
        if self.run_s < 0:
            self.row_s, self.run_s = height / rows, 0.0
        elif self.row_s < 0:
            self.row_s, self.run_s = 0.0, height
