"""How waits turned out, against what was foretold of them.

A forecast adds up what runs are measured to cost. It cannot know what the service spends besides:
on handing runs over, on refusing others, on cores that somebody else uses too. The more waits,
the more that comes to. So each wait that is over corrects the forecasts to come.
"""

import math
from dataclasses import replace

from services.inference.forecast import Forecast

_WEIGHT = 1 / 32
"""Of the last wait against all before it: at full load it is a matter of a second."""

_FADES_S = 10.0
"""Seconds after which little more than a third is left of what nobody has confirmed."""

_LEAST, _MOST = 0.5, 4.0
"""A single wait says no more than this: one that a stall made long is no rule."""


class Hindsight:
    """Learns by what factor waits differ from their forecasts; without news it forgets."""

    def __init__(self) -> None:
        """Begin with trust in what is foretold."""
        self._factor = 1.0
        self._learned_at = -math.inf

    def corrected(self, foretold: Forecast, now: float) -> Forecast:
        """Return a forecast with the wait that experience makes of it, never a shorter one.

        Args:
            foretold: by the measured costs.
            now: the moment, on the clock of whoever learns.

        """
        left = math.exp((self._learned_at - now) / _FADES_S)
        longer = 1 + max(0.0, self._factor - 1) * left
        return replace(foretold, wait_s=foretold.wait_s * longer)

    def learn(self, foretold: Forecast, took_s: float, now: float) -> None:
        """Take in how one request turned out.

        One that hardly waited tells nothing of waits, but that the time of much waiting is over:
        so what was learned in it fades.

        Args:
            foretold: what was said of it, uncorrected.
            took_s: seconds until it was answered, or until it was too late to be.
            now: the moment.

        """
        found = 1.0
        if foretold.wait_s > foretold.own_s:
            found = (took_s - foretold.own_s) / foretold.wait_s
        self._factor += _WEIGHT * (min(max(found, _LEAST), _MOST) - self._factor)
        self._learned_at = now
