"""Which way a picture goes: step by step on idle cores, in one go where every core is busy."""

from dataclasses import dataclass
from typing import Any, Protocol

from services.inference.analysis import Wanted
from services.inference.forecast import Forecast
from services.inference.judgement import Judged, Leased
from services.inference.priority import Priority, Urgency
from services.inference.stage import Stage
from services.inference.staged import Staged
from services.inference.steps import Steps
from services.inference.straight import Straight


class Way(Protocol):
    """Judges pictures, and foretells how long it would take."""

    async def judge(
        self, encoded: bytes, leased: Leased, wanted: Wanted, urgency: Urgency
    ) -> Judged:
        """Judge one JPEG or PNG file; raises as ``Pipeline.analyze`` does."""

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways that there are.

    Attributes:
        steps: decode and conclude, which both ways take.
        staged: step by step.
        straight: in one go; None where models and steps do not share the cores.
        cores: pictures that, each in one thread, keep every core busy.

    """

    steps: Steps
    staged: Staged
    straight: Straight | None
    cores: int

    def beside(self, others: int) -> Way:
        """Return the way for a picture that comes while so many others are in work."""
        if self.straight is None or others < self.cores:
            return self.staged
        return self.straight

    @property
    def first(self) -> tuple[Stage[Any, Any], ...]:
        """The lines in which pictures wait that have only come."""
        return (self.steps.decode, *([self.straight.stage] if self.straight else []))

    async def close(self) -> None:
        """Do what waits around the models, then stop."""
        if self.straight is not None:
            await self.straight.close()
        await self.steps.close()
