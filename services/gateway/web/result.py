"""The result of an analysis: looked at, checked again, removed."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import wording
from services.gateway.dependencies import (
    AnalysisDeadlineDep,
    EditorDep,
    PartsDep,
    ReaderDep,
    RemoverDep,
)
from services.gateway.findings import LABEL_NAMES
from services.gateway.parts import Parts
from services.gateway.presence import while_there
from services.gateway.records import UNFINISHED, Analysis
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.routes.replays import ReplayView
from services.gateway.subjects import AnalysisDep
from services.gateway.web.pages import PagesDep
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, new_token, removed_once

router = pages_router()


@router.get("/analyses/{analysis_id}")
async def page_result(
    request: Request, pages: PagesDep, parts: PartsDep, caller: ReaderDep, record: AnalysisDep
) -> HTMLResponse:
    """Show an analysis, however far it is."""
    return pages.show(request, "result.html", await _shown(parts, record), caller=caller)


@router.post("/analyses/{analysis_id}/replay")
async def page_check_again(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: EditorDep,
    record: AnalysisDep,
    deadline: AnalysisDeadlineDep,
) -> HTMLResponse:
    """Analyze the picture again, and say whether the answer is the same; nothing is kept of it."""
    await request.body()  # a form without fields
    with parts.places.taken(caller.user.id):
        found = await while_there(request, parts.replays.replay(record, deadline))
    shown = await _shown(parts, record) | {"replay": ReplayView.of(record.id, found)}
    return pages.show(request, "result.html", shown, caller=caller)


@router.get("/analyses/{analysis_id}/remove")
async def page_removal(
    request: Request, pages: PagesDep, caller: RemoverDep, record: AnalysisDep
) -> HTMLResponse:
    """Ask whether an analysis is really to be removed."""
    shown = {"analysis": AnalysisView.of(record), "form": new_token()}
    return pages.show(request, "result_removal.html", shown, caller=caller)


@router.post("/analyses/{analysis_id}/remove")
async def page_remove(
    analysis_id: str, request: Request, caller: RemoverDep, parts: PartsDep, form: Token = ""
) -> Response:
    """Remove an analysis; the same form sent twice leads to the same page."""

    async def work() -> None:
        await parts.history.delete(caller.scope, analysis_id)

    await removed_once(request, caller, parts, form, work)
    return RedirectResponse("/analyses", 303)


async def _shown(parts: Parts, record: Analysis) -> dict[str, Any]:
    analysis = AnalysisView.of(record)
    return {
        "analysis": analysis,
        "pending": record.status in UNFINISHED,
        "worth": await _worth(parts, analysis),
        "replay": None,
        "summary": parts.narratives.by_template(record, "en") if record.findings else None,
        "label_names": LABEL_NAMES,
        "wording": wording,
        "form": new_token(),
    }


async def _worth(parts: Parts, analysis: AnalysisView) -> wording.Worth | None:
    """Return what the operating point is worth, where its model is known."""
    known = await parts.evaluations.of(analysis.models)
    return next(filter(None, map(wording.Worth.of, known.values())), None)
