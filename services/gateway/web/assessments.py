"""What a clinician says of a result, by the form beside it."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Form, Request
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
from services.gateway.web.sent_once import Token, done_once, parts_of, removed_once

router = pages_router()

_Text = Annotated[str, Form()]
_Revision = Annotated[int, Form(ge=0)]


class _Written(NamedTuple):
    """What the form of an assessment brings, and the revision that it was made for."""

    verdict: str
    reason: str
    revision: int


async def _written(verdict: _Text = "", reason: _Text = "", revision: _Revision = 0) -> _Written:
    return _Written(verdict, reason, revision)


_WrittenDep = Annotated[_Written, Depends(_written)]


@router.post("/analyses/{analysis_id}/assessment")
async def page_assess(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AssessorDep,
    record: AnalysisDep,
    written: _WrittenDep,
    form: Token = "",
) -> Response:
    """Say what one takes the lesion for; what is refused is shown again, beside what is there."""

    async def work() -> None:
        values = {"verdict": written.verdict, "reason": written.reason.strip() or None}
        said = NewAssessment.model_validate(values)
        await parts.assessments.make(
            caller.scope,
            record.id,
            frozenset({written.revision}),
            caller.user.username,
            said.verdict,
            said.reason,
        )

    try:
        await done_once(request, caller, parts, form, work, parts_of(written._asdict()))
    except (ValidationError, errors.InvalidRequestError, errors.ChangedMeanwhileError) as error:
        refusal = Refusal.of(error)
        now = await parts.history.get(caller.scope, record.id)
        shown = {
            "analysis": AnalysisView.of(now),
            "verdict": written.verdict,
            "reason": written.reason,
            "label_names": LABEL_NAMES,
            **refusal.again(form),
        }
        return pages.refuse(request, "assessment.html", shown, refusal, caller=caller)
    return RedirectResponse(f"/analyses/{record.id}#assessment", 303)


@router.post("/analyses/{analysis_id}/assessment/withdraw")
async def page_withdraw_assessment(
    analysis_id: str,
    request: Request,
    parts: PartsDep,
    caller: AssessorDep,
    revision: _Revision = 0,
    form: Token = "",
) -> Response:
    """Take back what was said; the same form sent twice leads to the same page."""

    async def work() -> None:
        await parts.assessments.withdraw(
            caller.scope, analysis_id, frozenset({revision}), caller.user.username
        )

    await removed_once(request, caller, parts, form, work)
    return RedirectResponse(f"/analyses/{analysis_id}#assessment", 303)
