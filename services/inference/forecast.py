"""When an answer can be had, by what was measured."""

from dataclasses import dataclass

from services.inference.refusal import TooLateError


@dataclass(frozen=True, slots=True)
class Forecast:
    """What to expect of a request that would come in now.

    Attributes:
        wait_s: seconds of work ahead of it.
        own_s: seconds of its own work.
        spare_s: seconds that it must have left beyond that when it begins.

    """

    wait_s: float
    own_s: float
    spare_s: float = 0.0

    @property
    def end_s(self) -> float:
        """Seconds until it would be answered."""
        return self.wait_s + self.own_s

    @property
    def margin_s(self) -> float:
        """Seconds more that whoever is not in work yet should have.

        Who must wait is given one run like its own more: what is ahead may take longer than
        measured, and under great load it would be late again and again by a little. What must be
        left when it begins comes on top.
        """
        return min(self.wait_s, self.own_s) + self.spare_s

    def refuse_late(self, now: float, deadline: float) -> None:
        """Refuse what cannot be done in time.

        Args:
            now: the moment, on the deadline's clock.
            deadline: when the answer is of no more use; infinity for never.

        Raises:
            TooLateError: the answer would come after the deadline.

        """
        late_s = now + self.end_s - deadline
        if late_s > 0:
            raise TooLateError(late_s)
