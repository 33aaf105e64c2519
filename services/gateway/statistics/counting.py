"""What the databases count: analyses by what they come to, and how long they took."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, Label, Select, cast, func, literal, select
from sqlalchemy.orm import Mapped, Session
from sqlmodel import col

from services.gateway.records import Analysis, Time
from services.gateway.statistics.figures import Latency, Row
from services.gateway.statistics.span import Interval, Span

_DATE_LENGTH = len("2026-03-02")
_TO_THE_FIRST = {
    Interval.DAY: (),
    Interval.WEEK: ("-6 days", "weekday 1"),
    Interval.MONTH: ("start of month",),
}
"""How SQLite gets to the first day of a period, its moments being in UTC."""

_COUNTED = (
    col(Analysis.status),
    col(Analysis.label),
    col(Analysis.suspicious),
    col(Analysis.cannot_assess_reasons),
    col(Analysis.verdict),
)


def counts(session: Session, span: Span) -> list[tuple[date, Row]]:
    """Count analyses by the first day of their period and by what they come to."""
    first = _first_day(session, span.interval)
    counted: Select[*tuple[Any, ...]] = select(first, *_COUNTED, func.count()).where(*_during(span))
    counted = counted.group_by(first, *_COUNTED)
    return [(day, Row(*values)) for day, *values in session.execute(counted)]


def latencies(session: Session, span: Span, time: Time) -> tuple[dict[date, Latency], Latency]:
    """Return how long the analyses of each period took, by its first day, and those of all."""
    first, ms = _first_day(session, span.interval).label("first"), col(getattr(Analysis, time))
    ranked = session.execute(_ranked(span, ms, [first]))
    by_period = {day: Latency(*found) for day, *found in ranked}
    (whole,) = session.execute(_ranked(span, ms, []))
    return by_period, Latency(*whole)


def _first_day(session: Session, interval: Interval) -> ColumnElement[date]:
    """Say in which period an analysis was made; the words are ours, and must be the same twice."""
    made = col(Analysis.created_at)
    if session.get_bind().dialect.name == "postgresql":
        unit = literal(interval.value, literal_execute=True)
        return cast(func.date_trunc(unit, func.timezone("UTC", made)), Date)
    steps = (literal(step, literal_execute=True) for step in _TO_THE_FIRST[interval])
    # Of a whole moment, the last microseconds of a day would be rounded into the next one.
    return func.date(func.substr(made, 1, _DATE_LENGTH), *steps, type_=Date)


def _ranked(
    span: Span, took: Mapped[int | None], by: Sequence[Label[date]]
) -> Select[*tuple[Any, ...]]:
    """Find median and 95th percentile in the counts of each duration, one period at a time."""
    counted: Select[*tuple[Any, ...]] = select(*by, took.label("ms"), func.count().label("count"))
    counted = counted.where(*_during(span), took.is_not(None)).group_by(*by, took)
    each = counted.subquery()
    periods = [each.c[label.name] for label in by]
    up_to = func.sum(each.c.count).over(partition_by=periods or None, order_by=each.c.ms)
    of = func.sum(each.c.count).over(partition_by=periods or None)
    ranks = select(*periods, each.c.ms, up_to.label("up_to"), of.label("of")).subquery()
    periods = [ranks.c[label.name] for label in by]
    return select(
        *periods,
        func.coalesce(func.max(ranks.c.of), 0),
        func.min(ranks.c.ms).filter(ranks.c.up_to >= 0.5 * ranks.c.of),
        func.min(ranks.c.ms).filter(ranks.c.up_to >= 0.95 * ranks.c.of),
    ).group_by(*periods)


def _during(span: Span) -> tuple[ColumnElement[bool], ...]:
    made = col(Analysis.created_at)
    return made >= span.begins, made < span.ends
