"""Which models answer."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway.clients import Evaluation, Model
from services.gateway.dependencies import AnalysisDeadlineDep, CallerDep, PartsDep
from services.gateway.problems import documented

router = APIRouter(tags=["models"])


class IntervalView(BaseModel):
    """The 95 % interval of a figure, bootstrapped by lesion."""

    low: float
    high: float


class EvaluationView(BaseModel):
    """How well a model did, and on what.

    ``intervals`` has those of ``metrics`` whose intervals are known, by the same names.
    """

    evaluated_on: str
    metrics: dict[str, float] = Field(examples=[{"balanced_accuracy": 0.708}])
    intervals: dict[str, IntervalView] = Field(
        examples=[{"balanced_accuracy": {"low": 0.662, "high": 0.753}}]
    )

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        """Show an evaluation."""
        return cls(
            evaluated_on=evaluation.evaluated_on,
            metrics=dict(evaluation.metrics),
            intervals={
                name: IntervalView(low=ends.low, high=ends.high)
                for name, ends in evaluation.intervals.items()
            },
        )


class ModelView(BaseModel):
    """A version of a model that answers now: the stable one, or a canary for some pictures."""

    name: str = Field(examples=["classifier"])
    version: str
    version_label: str
    traffic_share: float = Field(examples=[1.0])
    sha256: str
    labels: list[str]
    execution_provider: str
    evaluation: EvaluationView

    @classmethod
    def of(cls, model: Model) -> Self:
        """Show a model."""
        return cls(
            name=model.name,
            version=model.version,
            version_label=model.version_label,
            traffic_share=model.traffic_share,
            sha256=model.sha256,
            labels=model.labels,
            execution_provider=model.execution_provider,
            evaluation=EvaluationView.of(model.evaluation),
        )


class ModelPage(BaseModel):
    """The models that answer now."""

    items: list[ModelView]
    next_cursor: None = None


@router.get("/v1/models", responses=documented(401, 502, 503, 504))
async def models(_caller: CallerDep, parts: PartsDep, deadline: AnalysisDeadlineDep) -> ModelPage:
    """List the models that answer now, with the figures of their evaluation."""
    serving = await parts.inference.models(deadline)
    return ModelPage(items=[ModelView.of(model) for model in serving])
