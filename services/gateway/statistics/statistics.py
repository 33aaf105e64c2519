"""Statistics of analyses: of an organisation where its users share them, else of one's own."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from services.gateway.database import Database, Scope, see_one_moment
from services.gateway.places import Places
from services.gateway.records import Time
from services.gateway.statistics.counting import counts, latencies
from services.gateway.statistics.figures import Figures
from services.gateway.statistics.span import Span


@dataclass(frozen=True, slots=True)
class Period:
    """Some days of a span: from a day on, until before another."""

    since: date
    until: date
    figures: Figures


@dataclass(frozen=True, slots=True)
class Summary:
    """What the analyses of a span come to, as a whole and period by period."""

    span: Span
    whole: Figures
    periods: list[Period]


class Statistics:
    """Counts analyses, always within a scope."""

    def __init__(self, database: Database, places: Places) -> None:
        """Build over the records.

        Args:
            database: has them.
            places: how many may have theirs counted at once; a database has others to serve.

        """
        self._database = database
        self._places = places

    async def summary(self, scope: Scope, span: Span) -> Summary:
        """Count the analyses of some days.

        Raises:
            ShareTakenError: this user has theirs counted already.
            UnavailableError: too many have.

        """

        def work(session: Session) -> Summary:
            return _summary(session, span)

        with self._places.taken(scope.user_id):
            return await self._database.read(work, scope)


def _summary(session: Session, span: Span) -> Summary:
    see_one_moment(session)
    whole = Figures()
    by_first = {span.interval.first(since): Figures() for since, _ in span.periods()}
    for first, row in counts(session, span):
        by_first[first].add(row)
        whole.add(row)
    for time in Time:
        by_period, whole.times[time] = latencies(session, span, time)
        for first, latency in by_period.items():
            by_first[first].times[time] = latency
    return Summary(
        span,
        whole,
        [
            Period(*days, figures)
            for days, figures in zip(span.periods(), by_first.values(), strict=True)
        ],
    )
