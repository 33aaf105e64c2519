"""What routes give of analyses, as JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from services.gateway import kinds
from services.gateway.findings import (
    Classification,
    Findings,
    Method,
    ModelVersion,
    Quality,
    Segmentation,
    Timings,
)
from services.gateway.problems import PAGE
from services.gateway.records import Analysis, Verdict, agrees

Label = Literal["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]

_NO_FINDINGS: dict[str, object] = {
    **dict.fromkeys(Findings.model_fields),
    "models": [],
}


class ImageView(BaseModel):
    """The picture as it is kept: upright, and without anything but pixels."""

    sha256: str
    width: int = Field(examples=[600])
    height: int = Field(examples=[450])
    format: Literal["jpeg", "png"]


class FailureView(BaseModel):
    """Why there is no answer: a problem, as whoever waited for one would have been told."""

    type: str = Field(
        description="Names the kind of problem, as in `Problem`.",
        examples=[f"{PAGE}#invalid-picture"],
    )
    title: str = Field(examples=["The picture cannot be used"])
    status: int = Field(description="That the answer would have had.", examples=[422])
    detail: str = Field(examples=["The file is not a JPEG or PNG."])

    @classmethod
    def of(cls, problem: Mapping[str, str]) -> Self:
        """Show what a record keeps of a problem."""
        kind = kinds.kind_named(problem["kind"])
        return cls(
            type=f"{PAGE}#{kind.slug}",
            title=kind.title,
            status=kind.status,
            detail=problem["detail"],
        )


class AssessmentView(BaseModel):
    """What a clinician says of an answer, beside it."""

    verdict: Verdict = Field(description="What the lesion is taken for.", examples=["nv"])
    agrees: bool = Field(
        description="Whether that is our label; of what we could not assess, `cannot_tell` is."
    )
    reason: str | None
    username: str = Field(description="Who says so.", examples=["dr.example"])
    assessed_at: datetime
    revision: int = Field(description="Counts changes; the `ETag` names it.", examples=[1])

    @classmethod
    def of(cls, record: Analysis) -> Self:
        """Show the assessment of an analysis that has one."""
        verdict = Verdict(record.verdict or "")
        return cls.model_validate(
            {
                "verdict": verdict,
                "agrees": agrees(verdict, record.label),
                "reason": record.verdict_reason,
                "username": record.assessed_by,
                "assessed_at": record.assessed_at,
                "revision": record.assessment_revision,
            }
        )


class AnalysisView(BaseModel):
    """Our whole answer about one picture; what only an answer has is null until there is one."""

    id: str
    created_at: datetime
    status: Literal["queued", "running", "succeeded", "failed"] = Field(
        examples=["succeeded"],
        description="`queued` and `running` are on their way; `succeeded` has an answer, and "
        "`failed` a `problem`: neither changes any more.",
    )
    outcome: Literal["assessed", "cannot_assess"] | None
    problem: FailureView | None
    batch: str | None = Field(description="Id of the batch that it came in.")
    file_name: str | None = Field(
        description="Of a picture of a batch, as it was sent.", examples=["0042.jpg"]
    )
    image: ImageView | None = Field(description="Null for a file that could not be used as one.")
    patient: str | None = Field(description="Id of the patient that it is attached to.")
    lesion: str | None = Field(description="Id of the lesion that it is attached to.")
    patient_id: str | None
    patient_name: str | None
    lesion_id: str | None
    body_site: str | None
    note: str | None
    classification: Classification | None
    segmentation: Segmentation | None
    quality: Quality | None
    models: list[ModelVersion]
    method: Method | None = Field(
        default=None, description="Null in records from before this was kept."
    )
    timings: Timings | None
    assessment: AssessmentView | None = Field(
        default=None, description="What a clinician says of it; it changes nothing of the answer."
    )
    notice: str | None

    @classmethod
    def of(cls, record: Analysis) -> Self:
        """Show an analysis."""
        shown = record.model_dump(include=set(cls.model_fields) - {"problem"})
        image = {
            "sha256": record.image_sha256,
            "width": record.width,
            "height": record.height,
            "format": record.image_format,
        }
        return cls.model_validate(
            {
                **shown,
                "problem": FailureView.of(record.problem) if record.problem else None,
                "assessment": AssessmentView.of(record) if record.verdict else None,
                "image": image if record.image_sha256 else None,
                **(record.findings or _NO_FINDINGS),
            }
        )


class AnalysisPage(BaseModel):
    """Some analyses, in the order that was asked for."""

    items: list[AnalysisView]
    next_cursor: str | None
