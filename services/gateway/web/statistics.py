"""What analyses come to over time, in charts and tables."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, ValidationError

from services.gateway import errors
from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.findings import LABEL_NAMES
from services.gateway.records import now
from services.gateway.routes.moments import Day
from services.gateway.statistics import Interval, Series, Span, Summary, lines
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_Asked = Annotated[str, Query(max_length=32)]
_Empty = BeforeValidator(lambda text: text or None)


class _Form(BaseModel):
    since: Annotated[Day | None, _Empty]
    until: Annotated[Day | None, _Empty]
    interval: Interval

    def span(self) -> Span:
        return Span.of(self.since, self.until, self.interval, now().date())


_BY_DEFAULT = _Form(since=None, until=None, interval=Interval.DAY)


@router.get("/statistics")
async def page_statistics(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    since: _Asked = "",
    until: _Asked = "",
    interval: _Asked = Interval.DAY,
) -> HTMLResponse:
    """Show what analyses come to; what cannot be counted is said, beside the last days."""
    refusal = None
    try:
        span = _Form.model_validate({"since": since, "until": until, "interval": interval}).span()
    except (ValidationError, errors.InvalidFieldError) as error:
        refusal = Refusal.of(error)
        span = _BY_DEFAULT.span()
    summary = await parts.statistics.summary(caller.scope, span)
    shown = _shown(summary) | {"refusal": ""}
    if refusal:
        shown["refusal"] = refusal.sentence.removeprefix("query.")
        return pages.refuse(request, "statistics.html", shown, refusal, caller=caller)
    return pages.show(request, "statistics.html", shown, caller=caller)


def _shown(summary: Summary) -> dict[str, Any]:
    span = summary.span
    days = {"since": span.since, "until": span.until, "interval": span.interval.value}
    return {
        "summary": summary,
        "intervals": list(Interval),
        "asked": urlencode(days),
        "tables": {series.value: lines(summary, series) for series in Series},
        "label_names": LABEL_NAMES,
    }
