"""How waits turned out, against what was foretold of them.

A forecast adds up what runs are measured to cost. It cannot know what the service spends besides:
on handing runs over, on refusing others, on cores that somebody else uses too. The more waits,
the more that comes to. So each wait that is over corrects the forecasts to come.
"""

from services.inference.forecast import Forecast

_WEIGHT = 1 / 32
"""Of the last wait against all before it: at full load it is a matter of a second."""

_LEAST, _MOST = 0.5, 4.0
"""A single wait says no more than this: one that a stall made long is no rule."""


class Hindsight:
    """Learns by what factor waits differ from their forecasts.

    Attributes:
        factor: seconds that a foretold second of waiting takes.

    """

    def __init__(self) -> None:
        """Begin with trust in what is foretold."""
        self.factor = 1.0

    def corrected(self, foretold: Forecast) -> Forecast:
        """Return a forecast with the wait that experience makes of it, never a shorter one."""
        return Forecast(foretold.wait_s * max(1.0, self.factor), foretold.own_s)

    def learn(self, foretold: Forecast, took_s: float) -> None:
        """Take in how one request turned out.

        One that hardly waited tells nothing of waits, but that the time of much waiting is over:
        so what was learned in it fades.

        Args:
            foretold: what was said of it, uncorrected.
            took_s: seconds until it was answered, or until it was too late to be.

        """
        found = 1.0
        if foretold.wait_s > foretold.own_s:
            found = (took_s - foretold.own_s) / foretold.wait_s
        self.factor += _WEIGHT * (min(max(found, _LEAST), _MOST) - self.factor)
