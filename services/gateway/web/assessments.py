"""What a clinician says of a result, by the form beside it."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import AssessorDep, PartsDep
from services.gateway.findings import LABEL_NAMES
from services.gateway.routes.analysis_shapes import AnalysisView
from services.gateway.routes.assessments import NewAssessment
from services.gateway.subjects import AnalysisDep
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_Text = Annotated[str, Form()]
_Revision = Annotated[int, Form(ge=0)]


@router.post("/analyses/{analysis_id}/assessment")
async def page_assess(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AssessorDep,
    record: AnalysisDep,
    verdict: _Text = "",
    reason: _Text = "",
    revision: _Revision = 0,
) -> Response:
    """Say what one takes the lesion for; what is refused is shown again, beside what is there."""
    try:
        said = NewAssessment.model_validate({"verdict": verdict, "reason": reason.strip() or None})
        await parts.assessments.make(
            caller.scope,
            record.id,
            frozenset({revision}),
            caller.user.username,
            said.verdict,
            said.reason,
        )
    except (ValidationError, errors.InvalidRequestError, errors.ChangedMeanwhileError) as error:
        refusal = Refusal.of(error)
        now = await parts.history.get(caller.scope, record.id)
        shown = {
            "analysis": AnalysisView.of(now),
            "verdict": verdict,
            "reason": reason,
            "refusal": refusal.sentence,
            "label_names": LABEL_NAMES,
        }
        return pages.refuse(request, "assessment.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/analyses/{record.id}#assessment", 303)


@router.post("/analyses/{analysis_id}/assessment/withdraw")
async def page_withdraw_assessment(
    analysis_id: str, parts: PartsDep, caller: AssessorDep, revision: _Revision = 0
) -> Response:
    """Take back what was said."""
    await parts.assessments.withdraw(
        caller.scope, analysis_id, frozenset({revision}), caller.user.username
    )
    return RedirectResponse(f"/analyses/{analysis_id}#assessment", 303)
