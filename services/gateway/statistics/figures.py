"""What some analyses come to."""

import math
from collections import Counter
from dataclasses import dataclass, field

from services.gateway.findings import LABEL_NAMES
from services.gateway.records import Status, Time

CONFIDENCE = 0.95
_Z = 1.959963984540054
"""Quantile of the normal distribution that leaves half of the rest on either side."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many; the share lies within the Wilson interval (E. B. Wilson, JASA 22, 1927).

    Of none there is no share.
    """

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """How many of one."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true share lies with a confidence of 95 %."""
        if self.share is None:
            return None
        weight = _Z**2 / self.of
        center = (self.share + weight / 2) / (1 + weight)
        spread = math.sqrt(self.share * (1 - self.share) * weight + weight**2 / 4) / (1 + weight)
        # At the ends it is exact, and rounding must not lead beyond.
        low = 0.0 if self.count == 0 else center - spread
        high = 1.0 if self.count == self.of else center + spread
        return low, high


@dataclass(frozen=True, slots=True)
class Latency:
    """How long inference took: in milliseconds, by nearest rank; None of none."""

    count: int = 0
    median_ms: int | None = None
    p95_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Analyses that are alike in everything that is counted."""

    status: str
    label: str | None
    suspicious: bool | None
    cannot_assess_reasons: str | None
    verdict: str | None
    count: int


@dataclass
class Figures:
    """Counts, to which rows are added.

    Attributes:
        status: analyses by how far they are.
        labels: assessed ones by their label.
        reasons: of those that could not be assessed; one may have several.
        times: that the answers took, those whose time was kept.

    """

    status: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    times: dict[Time, Latency] = field(default_factory=lambda: dict.fromkeys(Time, Latency()))
    _unassessed: int = 0
    _suspicious: Counter[bool] = field(default_factory=Counter)
    _agreed: Counter[bool] = field(default_factory=Counter)

    def add(self, row: Row) -> None:
        """Count some analyses."""
        self.status[row.status] += row.count
        if row.label is not None:
            self.labels[row.label] += row.count
        elif row.status == Status.SUCCEEDED:
            self._unassessed += row.count
        if row.suspicious is not None:
            self._suspicious[row.suspicious] += row.count
        for reason in (row.cannot_assess_reasons or "").split():
            self.reasons[reason] += row.count
        if row.label is not None and row.verdict in LABEL_NAMES:
            self._agreed[row.verdict == row.label] += row.count

    @property
    def analyses(self) -> int:
        """How many there are."""
        return self.status.total()

    @property
    def cannot_assess(self) -> Rate:
        """Of those with an answer, those whose answer is that the picture cannot be judged."""
        return Rate(self._unassessed, self.status[Status.SUCCEEDED])

    @property
    def suspicious(self) -> Rate:
        """Of the assessed ones, those that reach the model's operating point."""
        return Rate(self._suspicious[True], self._suspicious.total())

    @property
    def agreement(self) -> Rate:
        """Of the assessed ones that a clinician gave a label too, those with the same label."""
        return Rate(self._agreed[True], self._agreed.total())
