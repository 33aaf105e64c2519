"""Two analyses beside each other and over each other."""

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import RedirectResponse, Response

from services.gateway import errors
from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.findings import LABEL_NAMES
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.web.history import WrittenDep, listed
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_Id = Annotated[str, Query(max_length=64)]


@router.get("/comparison")
async def page_comparison(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    written: WrittenDep,
    first: _Id = "",
    second: _Id = "",
    of: Annotated[tuple[str, ...], Query(max_length=100)] = (),
) -> Response:
    """Show what has changed; of two that were chosen from a list, the older one comes first.

    Of any other number the list is shown again, as it was.
    """
    if not (first and second):
        if len(of) != len(("first", "second")):
            refusal = Refusal.of(errors.InvalidRequestError("Choose two analyses to compare."))
            return await listed(request, pages, parts, caller, written, refusal=refusal, chosen=of)
        # Ids begin with the time.
        older, newer = sorted(of)
        return RedirectResponse(f"/comparison?first={older}&second={newer}", 303)
    records = [await parts.history.get(caller.scope, each) for each in (first, second)]
    views = [AnalysisView.of(record) for record in records]
    try:
        compared = await parts.comparisons.compare(*records)
    except (errors.NotFinishedError, errors.NotFoundError) as error:
        lacking = [each for each in views if each.outcome is None]
        if not lacking:
            raise
        failed = any(each.problem for each in lacking)
        said = {"lacking": lacking, "failed": failed, "first": first, "second": second}
        refusal = Refusal.of(error)
        return pages.refuse(request, "comparison_lacking.html", said, refusal, caller=caller)
    shown = {
        "compared": compared,
        "first": views[0],
        "second": views[1],
        "label_names": LABEL_NAMES,
    }
    return pages.show(request, "comparison.html", shown, caller=caller)
