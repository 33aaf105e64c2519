"""Analyses made once more, to see whether the answer still holds."""

from typing import Self

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.gateway.analyses.replay import MASK_TOLERANCE, PROBABILITY_TOLERANCE, Replay
from services.gateway.dependencies import AnalysisDeadlineDep, EditorDep, PartsDep
from services.gateway.findings import Findings
from services.gateway.presence import while_there
from services.gateway.problems import documented

router = APIRouter(tags=["analyses"])


class Tolerance(BaseModel):
    """How far two answers may differ and still agree."""

    probability: float = Field(description="Of any label.")
    mask: float = Field(description="Of 1 - Dice of the two masks.")


class ReplayView(BaseModel):
    """A second answer beside the first."""

    analysis_id: str
    agrees: bool = Field(
        description="Whether the picture is intact, outcome, label, `suspicious` and reasons are "
        "the same, and all differences lie within the tolerance."
    )
    picture_intact: bool = Field(
        description="Whether picture and mask are still kept, with the SHA-256 that they had. "
        "Where not, nothing was analyzed again."
    )
    same_method: bool = Field(
        description="Whether model versions and files, preprocessing and thresholds are those of "
        "the first answer. Where they are not, a difference has its reason."
    )
    same_outcome: bool = Field(
        description="Whether outcome, label, `suspicious` and reasons are the same."
    )
    probability_difference: float | None = Field(
        description="The largest of any label; null where either was not assessed."
    )
    mask_difference: float | None = Field(description="1 - Dice; 1 where only one found a lesion.")
    tolerance: Tolerance
    now: Findings | None

    @classmethod
    def of(cls, analysis_id: str, replay: Replay) -> Self:
        """Show a replay."""
        return cls(
            analysis_id=analysis_id,
            agrees=replay.agrees,
            picture_intact=replay.picture_intact,
            same_method=replay.same_method,
            same_outcome=replay.same_outcome,
            probability_difference=replay.probability_difference,
            mask_difference=replay.mask_difference,
            tolerance=Tolerance(probability=PROBABILITY_TOLERANCE, mask=MASK_TOLERANCE),
            now=replay.now,
        )


@router.post(
    "/v1/analyses/{analysis_id}/replay",
    responses=documented(401, 403, 404, 408, 409, 413, 422, 502, 503, 504),
)
async def replay(
    analysis_id: str,
    request: Request,
    caller: EditorDep,
    parts: PartsDep,
    deadline: AnalysisDeadlineDep,
) -> ReplayView:
    """Analyze a kept picture again, and say whether the answer is the same.

    Nothing is recorded or changed by it.
    """
    record = await parts.history.get(caller.scope, analysis_id)
    await request.body()  # there should be none; whoever sends one is heard to its end
    with parts.places.taken(caller.user.id):
        found = await while_there(request, parts.replays.replay(record, deadline))
    return ReplayView.of(analysis_id, found)
