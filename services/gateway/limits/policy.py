"""What a quota allows, and what is left of it, as answers say it.

The header fields follow draft-ietf-httpapi-ratelimit-headers-11.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Policy:
    """So many units in a window of time.

    Attributes:
        name: of the policy, as its callers see it.
        quota: the most units in a window; 0 for no limit.
        window_s: seconds from the first unit of a window until all of them are there again.

    """

    name: str
    quota: int
    window_s: int = 60

    @property
    def field(self) -> str:
        """The item of ``RateLimit-Policy``."""
        return f'"{self.name}";q={self.quota};w={self.window_s}'


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands who asked for units.

    Attributes:
        policy: under which they asked.
        enough: whether there were as many as they asked for.
        left: units that are left.
        seconds: until all are there again.

    """

    policy: Policy
    enough: bool
    left: int
    seconds: float

    @property
    def headers(self) -> dict[str, str]:
        """What an answer says of it."""
        # Rounded up, so that who waits for so long does not come too early.
        limit = f'"{self.policy.name}";r={self.left};t={math.ceil(self.seconds)}'
        return {"RateLimit-Policy": self.policy.field, "RateLimit": limit}
