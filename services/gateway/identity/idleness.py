"""Sign-ins that nobody uses end by themselves."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.gateway.records import now


@dataclass(frozen=True, slots=True)
class Idleness:
    """How long a sign-in lasts that is not used.

    Attributes:
        most: after the last use, which of a browser's session is known to the minute.
        unseen: how much longer where only refreshing is seen, for an access token may have been
            used until it expired.

    """

    most: timedelta
    unseen: timedelta

    @classmethod
    def of(cls, idle_s: float, access_token_s: float) -> "Idleness":
        """Return that of so many seconds, and of access tokens of so many seconds."""
        return cls(timedelta(seconds=idle_s), timedelta(seconds=access_token_s))

    def since(self) -> datetime:
        """Return after when a sign-in must have been used, or refreshed, to be good."""
        return now() - self.most - self.unseen

    def is_over(self, used_at: datetime) -> bool:
        """Say whether the session of a browser, used last at a time, has ended by that."""
        return used_at <= now() - self.most
