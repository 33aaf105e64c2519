"""When a message is tried again: the schedule that Standard Webhooks 1.0 gives as an example."""

import random
from datetime import timedelta

DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Between one attempt and the next: ten attempts in a little more than three days."""

LONGEST_WISH = timedelta(hours=24)
"""As long as a receiver may ask us to wait."""

_JITTER = 0.2


def delay(attempts: int, wished: timedelta | None = None) -> timedelta | None:
    """Return how long to wait after a failure; None when it was the last attempt.

    Args:
        attempts: so many were made.
        wished: how long the receiver asks us to wait, if it does.

    Returns:
        Up to a fifth more than the schedule says, at random: what failed together must not come
        again together.

    """
    if attempts > len(DELAYS):
        return None
    planned = DELAYS[attempts - 1] * random.uniform(1, 1 + _JITTER)  # noqa: S311 - no secret
    return max(planned, min(wished or timedelta(), LONGEST_WISH))
