"""For those who run the gateway, and their machines."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.gateway import errors, problems
from services.gateway.dependencies import PartsDep
from services.gateway.health import NEEDED

router = APIRouter(tags=["operations"])


@router.get("/livez")
async def live() -> dict[str, str]:
    """Say that the process answers. Asks nobody else: restarting us would not mend them."""
    return {"status": "live"}


@router.get("/readyz", responses=problems.documented(503))
async def ready(request: Request, parts: PartsDep) -> Response:
    """Say whether work can be done now, and what is down.

    Without database or inference the answer is 503. Without reports it is 200 and
    `degraded`: all but reports still works, and no replica should be taken out for it.
    """
    checks = await parts.health.check()
    down = [name for name, state in checks.items() if state != "ok"]
    if NEEDED.intersection(down):
        down_now = errors.UnavailableError(f"Down: {', '.join(down)}.")
        return problems.answer(down_now, request.scope, checks=checks)
    return JSONResponse({"status": "degraded" if down else "ready", "checks": checks})


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(parts: PartsDep) -> Response:
    """Give the figures of this process for Prometheus."""
    return Response(generate_latest(parts.metrics.registry), media_type=CONTENT_TYPE_LATEST)
