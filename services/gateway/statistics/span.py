"""From which day to which, and in what steps. Days begin at midnight UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice
from typing import Self

from services.gateway import errors

MOST_PERIODS = 120
"""What can still be told apart on a screen, and what the answer has room for."""


class Interval(StrEnum):
    """How long a period is; weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first(self, day: date) -> date:
        """Return the first day of the period that a day lies in."""
        match self:
            case Interval.DAY:
                return day
            case Interval.WEEK:
                return day - timedelta(days=day.weekday())
            case Interval.MONTH:
                return day.replace(day=1)

    def next(self, first: date) -> date:
        """Return the first day of the period after the one that begins on a day."""
        days = {Interval.DAY: 1, Interval.WEEK: 7, Interval.MONTH: 32}[self]
        return self.first(first + timedelta(days=days))


_BY_DEFAULT = {
    Interval.DAY: timedelta(days=30),
    Interval.WEEK: timedelta(weeks=26),
    Interval.MONTH: timedelta(days=365),
}


_FIRST = date(2000, 1, 1)
_LAST = date(2199, 12, 31)


@dataclass(frozen=True, slots=True)
class Span:
    """Some days, cut into periods.

    Attributes:
        since: the first day.
        until: the day after the last.
        interval: how long a period is; the first and the last may be cut off.

    """

    since: date
    until: date
    interval: Interval

    @classmethod
    def of(cls, since: date | None, until: date | None, interval: Interval, today: date) -> Self:
        """Return the days that were asked for, up to now where nothing else is said.

        Raises:
            InvalidFieldError: there are none, or they are too many periods.

        """
        until = _known("until", until or today + timedelta(days=1))
        since = _known("since", since or until - _BY_DEFAULT[interval])
        if since >= until:
            raise errors.InvalidFieldError("query.until", "It must be a day after since")
        span = cls(since, until, interval)
        if len(list(islice(span.periods(), MOST_PERIODS + 1))) > MOST_PERIODS:
            raise errors.InvalidFieldError(
                "query.since", f"Ask for at most {MOST_PERIODS} periods, or for longer ones"
            )
        return span

    @property
    def begins(self) -> datetime:
        """The moment with which the first day begins."""
        return datetime.combine(self.since, time.min, UTC)

    @property
    def ends(self) -> datetime:
        """The moment with which the last day is over."""
        return datetime.combine(self.until, time.min, UTC)

    def periods(self) -> Iterator[tuple[date, date]]:
        """Yield the first day of each period, and the day after its last."""
        since = self.since
        while since < self.until:
            until = min(self.interval.next(self.interval.first(since)), self.until)
            yield since, until
            since = until


def _known(name: str, day: date) -> date:
    if not _FIRST <= day <= _LAST:
        raise errors.InvalidFieldError(f"query.{name}", f"It must be from {_FIRST} to {_LAST}")
    return day
