"""What analyses come to over time."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.problems import documented
from services.gateway.records import now
from services.gateway.routes.files import NAMED
from services.gateway.routes.moments import Day
from services.gateway.routes.statistics_shapes import StatisticsView
from services.gateway.statistics import MOST_PERIODS, Interval, Series, Span, Summary, table

router = APIRouter(tags=["statistics"])

_Since = Annotated[
    Day | None,
    Query(
        description="The first day, in UTC; by default 30 days, 26 weeks or a year before `until`."
    ),
]
_Until = Annotated[
    Day | None, Query(description="The day after the last, in UTC; by default tomorrow.")
]


async def asked_span(
    since: _Since = None,
    until: _Until = None,
    interval: Annotated[
        Interval,
        Query(description=f"How long a period is; at most {MOST_PERIODS} are counted at once."),
    ] = Interval.DAY,
) -> Span:
    """Return the days that were asked for; raises what ``Span.of`` does."""
    return Span.of(since, until, interval, now().date())


async def _summary(
    span: Annotated[Span, Depends(asked_span)], caller: ReaderDep, parts: PartsDep
) -> Summary:
    return await parts.statistics.summary(caller.scope, span)


SummaryDep = Annotated[Summary, Depends(_summary)]


@router.get("/v1/statistics", responses=documented(401, 403, 422))
async def statistics(summary: SummaryDep, caller: ReaderDep) -> StatisticsView:
    """Count analyses by status, label and outcome, with rates, agreement and latency, over time.

    Of the whole organisation where its users share their records; elsewhere, for administrators
    too, of the caller's own. Days, weeks (from Monday) and months are those of UTC.
    """
    return StatisticsView.of(summary, shared=caller.scope.shared)


_TABLE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Comma-separated values (RFC 4180), a line a period.",
        "headers": NAMED,
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "since,until,count,of,rate,low,high\r\n"
                "2026-03-01,2026-03-02,12,80,0.15,0.0879,0.2441\r\n",
            }
        },
    }
}


@router.get(
    "/v1/statistics.csv",
    response_class=Response,
    responses=_TABLE | documented(401, 403, 422),
)
async def statistics_table(
    summary: SummaryDep,
    series: Annotated[Series, Query(description="Which of the figures.")] = Series.STATUS,
) -> Response:
    """Give one series of the same figures as a table for spreadsheets."""
    span = summary.span
    name = f"dermserve-{series}-{span.since}-{span.until}-{span.interval}.csv"
    return Response(
        table(summary, series),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
