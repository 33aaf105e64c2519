"""What clinicians say of our answers, beside them."""

# The id in most of these paths is taken by the dependency that finds the record.
# ruff: noqa: FAST003

from datetime import datetime
from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.analyses.assessments import assessed
from services.gateway.dependencies import AssessorDep, Cursor, Limit, PartsDep, ReaderDep
from services.gateway.problems import documented
from services.gateway.records import REASON_LENGTH, Analysis, Assessment, Verdict
from services.gateway.routes.analysis_shapes import AssessmentView
from services.gateway.routes.revision import NewOrRevisionsDep, RevisionsDep, tag
from services.gateway.shelf import NONE_YET
from services.gateway.subjects import AnalysisDep
from services.gateway.text import FilledText

router = APIRouter(tags=["analyses"])


class NewAssessment(BaseModel):
    """What a clinician says of an answer."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    verdict: Verdict = Field(
        description="What the lesion is taken for. Who gives the analysis's own label agrees with "
        "it; where it could not assess, `cannot_tell` does."
    )
    reason: Annotated[FilledText, Field(max_length=REASON_LENGTH)] | None = Field(
        None, description="Why; needed by who does not agree."
    )


class AssessmentStepView(BaseModel):
    """One step in the history of an assessment: made, changed, or withdrawn."""

    id: str
    created_at: datetime
    user_id: str = Field(description="Who did it.")
    username: str = Field(examples=["dr.example"])
    verdict: Verdict | None = Field(description="Null where it was withdrawn.")
    reason: str | None

    @classmethod
    def of(cls, step: Assessment) -> Self:
        """Show a step."""
        return cls.model_validate(step.model_dump())


class AssessmentSteps(BaseModel):
    """Some of a history, newest first."""

    items: list[AssessmentStepView]
    next_cursor: str | None


def _shown(record: Analysis, response: Response) -> AssessmentView:
    response.headers["ETag"] = tag(record.assessment_revision or 0)
    return AssessmentView.of(record)


_PUT: dict[str, Any] = {
    "responses": {
        201: {"model": AssessmentView, "description": "There was none, and there is now."},
        **documented(401, 403, 404, 409, 412, 413, 422, 428),
    }
}


@router.put("/v1/analyses/{analysis_id}/assessment", **_PUT)
async def assess(
    new: NewAssessment,
    response: Response,
    # Who calls is asked before whether it is there, and that before what is wrong with the body.
    caller: AssessorDep,
    record: AnalysisDep,
    revisions: NewOrRevisionsDep,
    parts: PartsDep,
) -> AssessmentView:
    """Say what you take the lesion for, beside our answer, which stays as it is.

    An analysis has one assessment. `If-None-Match: *` makes the first one; `If-Match` changes the
    one that you saw, whoever made it. What it was before stays in its history.
    """
    changed = await parts.assessments.make(
        caller.scope, record.id, revisions, caller.user.username, new.verdict, new.reason
    )
    if revisions == NONE_YET:
        response.status_code = 201
    return _shown(changed, response)


@router.get("/v1/analyses/{analysis_id}/assessment", responses=documented(401, 403, 404))
async def assessment(record: AnalysisDep, response: Response) -> AssessmentView:
    """Show what a clinician says of an analysis; `ETag` names the revision."""
    return _shown(assessed(record), response)


@router.delete(
    "/v1/analyses/{analysis_id}/assessment",
    status_code=204,
    responses=documented(401, 403, 404, 412, 422, 428),
)
async def delete_assessment(
    analysis_id: str, caller: AssessorDep, revisions: RevisionsDep, parts: PartsDep
) -> None:
    """Withdraw an assessment; its history stays for as long as the analysis."""
    await parts.assessments.withdraw(caller.scope, analysis_id, revisions, caller.user.username)


@router.get("/v1/analyses/{analysis_id}/assessments", responses=documented(401, 403, 404, 422))
async def assessments(
    record: AnalysisDep,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AssessmentSteps:
    """List what was said of an analysis over time, newest first, withdrawals too."""
    page = await parts.assessments.page(caller.scope, record, limit, cursor)
    items = [*map(AssessmentStepView.of, page.items)]
    return AssessmentSteps(items=items, next_cursor=page.next_cursor)
