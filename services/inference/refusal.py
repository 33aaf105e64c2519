"""Why a request is not served: what callers are told, and when to come back."""

CLOCK_SLACK_S = 0.02
"""Who leaves this shortly before the deadline leaves because of it: clocks differ a little."""


class DeadlinePassedError(Exception):
    """The caller's time was up before there was an answer."""

    def __init__(self) -> None:
        super().__init__("the deadline passed before the picture was analyzed")


class DrainingError(Exception):
    """The service is closing and takes no more."""

    reason = "draining"
    retry_after_s = 0.1
    """Another replica would answer at once."""

    def __init__(self) -> None:
        super().__init__("the service is shutting down: try again, another replica will answer")


class InvalidRequestError(Exception):
    """What came is not what a model takes; the message says what was expected and what came."""


class UnknownModelError(Exception):
    """There is no such model here, or no such version of it."""


class RefusedError(Exception):
    """More is asked than can be done; nothing was begun.

    Attributes:
        reason: a word for the metrics.
        retry_after_s: seconds after which another try should succeed, by the measured drain
            rate.

    """

    LEAST_S = 0.05
    """Whoever is refused stays away at least this long, however short the line is."""

    reason = "refused"

    def __init__(self, sentence: str, retry_after_s: float) -> None:
        super().__init__(sentence)
        self.retry_after_s = max(retry_after_s, self.LEAST_S)


class MemoryShortError(RefusedError):
    """There is not enough memory now for what this picture needs."""

    reason = "memory"

    def __init__(self) -> None:
        super().__init__(
            "the service has too little memory for this now: send a smaller picture or try later", 1
        )


class TooLateError(RefusedError):
    """By the measured cost, the answer would come after the caller's deadline."""

    reason = "deadline"

    def __init__(self, late_s: float) -> None:
        """Build from the seconds by which the answer would be late."""
        super().__init__(
            "the service is too busy to answer before the deadline: allow more time or try later",
            late_s,
        )
