"""Which models answer."""

from fastapi import APIRouter

from services.gateway.dependencies import AnalysisDeadlineDep, CallerDep, PartsDep
from services.gateway.problems import documented
from services.gateway.routes.shapes import ModelPage, ModelView

router = APIRouter(tags=["models"])


@router.get("/v1/models", responses=documented(401, 502, 503, 504))
async def models(_caller: CallerDep, parts: PartsDep, deadline: AnalysisDeadlineDep) -> ModelPage:
    """List the models that answer now, with the figures of their evaluation."""
    serving = await parts.inference.models(deadline)
    return ModelPage(items=[ModelView.of(model) for model in serving])
