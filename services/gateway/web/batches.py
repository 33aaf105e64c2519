"""A batch: how far it is, what was found in each picture, and why some could not be used."""

from typing import Literal

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway.analyses import Filters
from services.gateway.analyses.history import SORTS
from services.gateway.dependencies import Cursor, EditorDep, PartsDep, ReaderDep
from services.gateway.records import Status
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.routes.batches import BatchView
from services.gateway.web.pages import PagesDep
from services.gateway.web.routing import pages_router

router = pages_router()

_ON_A_PAGE = 24


@router.get("/batches/{batch_id}")
async def page_batch(
    batch_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    cursor: Cursor = None,
    status: Literal["failed"] | None = None,
) -> HTMLResponse:
    """Show a batch with some of its analyses, in the order in which the pictures came."""
    batch = BatchView.of(await parts.batches.get(caller.scope, batch_id))
    filters = Filters(batch=batch.id, status=Status(status) if status else None)
    order = SORTS["created_at"]
    page = await parts.history.page(caller.scope, filters, _ON_A_PAGE, cursor, order)
    values = {
        "batch": batch,
        "analyses": [AnalysisView.of(record) for record in page.items],
        "cursor": cursor,
        "next_cursor": page.next_cursor,
        "status": status,
    }
    return pages.show(request, "batch.html", values, caller=caller)


@router.post("/batches/{batch_id}/cancel")
async def page_cancel_batch(batch_id: str, parts: PartsDep, caller: EditorDep) -> Response:
    """Withdraw the pictures whose turn has not come."""
    batch = (await parts.batches.cancel(caller.scope, batch_id)).batch
    return RedirectResponse(f"/batches/{batch.id}", 303)
