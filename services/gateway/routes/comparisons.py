"""Lesions over time, and two analyses beside each other."""

# The lesion's id is taken by the dependency that finds it.
# ruff: noqa: FAST003

from datetime import datetime
from typing import Literal, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway import analyses
from services.gateway.analyses import SORTS, Filters
from services.gateway.dependencies import Cursor, Limit, PartsDep, ReaderDep
from services.gateway.findings import Findings
from services.gateway.problems import documented
from services.gateway.records import Analysis, Status, Verdict
from services.gateway.routes.analysis_shapes import Label
from services.gateway.subjects import LesionDep

_ID = "0192f3a15b7c7d2e8f90a1b2c3d4e5f6"

router = APIRouter(tags=["analyses"])

_SHARE = (
    "Share of the picture that the lesion covers. Without a scale in the picture that is no size: "
    "two are comparable only where both were taken at the same magnification."
)


class ChangeView(BaseModel):
    """A figure of the first analysis and of the second; null where there is none."""

    first: float | None
    second: float | None
    difference: float | None = Field(description="The second without the first.")
    relative: float | None = Field(
        description="The difference as a share of the first.", examples=[0.25]
    )

    @classmethod
    def of(cls, change: analyses.Change) -> Self:
        """Show a change."""
        return cls.model_validate(change, from_attributes=True)


class AlignmentView(BaseModel):
    """How the second picture is laid over the first, so that the lesions meet."""

    scale: float = Field(description="Pixels of the first picture for one of the second.")
    rotation_degrees: float = Field(description="Clockwise as one sees it.", examples=[12.5])
    shift: tuple[float, float] = Field(
        description="Where the second picture's upper left corner comes to lie, x and y in pixels "
        "of the first.",
        examples=[(4.0, -7.5)],
    )
    matrix: tuple[float, float, float, float, float, float] = Field(
        description="The same as `matrix()` of SVG and CSS has it.",
        examples=[(0.98, 0.22, -0.22, 0.98, 4.0, -7.5)],
    )
    overlap: float = Field(
        description="Jaccard index of the two lesions so laid: 1 where they cover each other.",
        examples=[0.91],
    )


class ComparisonView(BaseModel):
    """What has changed from one analysis to another."""

    first: str = Field(description="Id of the analysis that is compared with.", examples=[_ID])
    second: str = Field(description="Id of the one that is compared.", examples=[_ID])
    same_lesion: bool = Field(description="Whether both are attached to one lesion.")
    same_models: bool = Field(
        description="Whether the same models judged both; otherwise a change may be theirs."
    )
    area_fraction: ChangeView = Field(description=_SHARE)
    asymmetry: ChangeView
    border_irregularity: ChangeView
    color_variegation: ChangeView
    malignant_probability: ChangeView
    probabilities: dict[Label, ChangeView]
    alignment: AlignmentView | None = Field(description="Null where one has no outline.")

    @classmethod
    def of(cls, found: analyses.Comparison) -> Self:
        """Show a comparison."""
        measures = {name: ChangeView.of(change) for name, change in found.measures.items()}
        return cls.model_validate(
            {
                "first": found.first.id,
                "second": found.second.id,
                "same_lesion": found.same_lesion,
                "same_models": found.same_models,
                "malignant_probability": ChangeView.of(found.malignant_probability),
                "probabilities": {
                    label: ChangeView.of(change) for label, change in found.probabilities.items()
                },
                "alignment": found.alignment
                and AlignmentView.model_validate(found.alignment, from_attributes=True),
                **measures,
            }
        )


class MomentView(BaseModel):
    """A lesion at one of the times at which a picture was analyzed."""

    analysis: str = Field(description="Id of the analysis.", examples=[_ID])
    created_at: datetime
    outcome: Literal["assessed", "cannot_assess"]
    label: Label | None
    malignant_probability: float | None
    suspicious: bool | None
    area_fraction: float | None = Field(description=_SHARE)
    color_variegation: float | None
    verdict: Verdict | None = Field(description="What a clinician took it for.")

    @classmethod
    def of(cls, record: Analysis) -> Self:
        """Show what an analysis that has an answer says of its time."""
        measured = Findings.model_validate(record.findings).segmentation
        return cls.model_validate(
            {
                **record.model_dump(include=set(cls.model_fields)),
                "analysis": record.id,
                "area_fraction": measured and measured.area_fraction,
                "color_variegation": measured and measured.color_variegation,
            }
        )


class Timeline(BaseModel):
    """Some of a lesion's times, oldest first."""

    items: list[MomentView]
    next_cursor: str | None


@router.get(
    "/v1/analyses/{analysis_id}/comparison/{other_id}",
    responses=documented(401, 403, 404, 409, 503),
)
async def comparison(
    analysis_id: str, other_id: str, caller: ReaderDep, parts: PartsDep
) -> ComparisonView:
    """Show what has changed from one analysis to another.

    `alignment` lays the second picture over the first by the two outlines: centroids meet,
    principal axes agree, areas are equal. So it shows shape and colours, and hides growth, for
    which see `area_fraction`.
    """
    first, second = [
        await parts.history.get(caller.scope, each) for each in (analysis_id, other_id)
    ]
    return ComparisonView.of(await parts.comparisons.compare(first, second))


@router.get("/v1/lesions/{lesion_id}/timeline", responses=documented(401, 403, 404, 422))
async def timeline(
    lesion: LesionDep,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Timeline:
    """Show a lesion over time: what was found in each of its pictures, oldest first."""
    answered = Filters(lesion=lesion.id, status=Status.SUCCEEDED)
    order = SORTS["created_at"]
    page = await parts.history.page(caller.scope, answered, limit, cursor, order)
    return Timeline(items=[*map(MomentView.of, page.items)], next_cursor=page.next_cursor)
