"""For those who run the gateway, and their machines."""

import contextlib
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from services.gateway import errors, problems, reading
from services.gateway.dependencies import PartsDep
from services.gateway.health import NEEDED

# Probes are set up once and may say more than we know: to refuse them takes every replica out.
router = APIRouter(tags=["operations"])


class Liveness(BaseModel):
    """That the process answers."""

    status: Literal["live"] = "live"


class Readiness(BaseModel):
    """What can be done now."""

    status: Literal["ready", "degraded"]
    checks: dict[str, str] = Field(
        description="`ok`, or what is wrong, by what the gateway needs.",
        examples=[
            {
                "database": "ok",
                "pictures": "ok",
                "space": "ok",
                "inference": "ok",
                "reports": "ok",
            }
        ],
    )


@router.get("/livez", openapi_extra=reading.TOLERANT)
async def live() -> Liveness:
    """Say that the process answers. Asks nobody else: restarting us would not mend them."""
    return Liveness()


@router.get(
    "/readyz",
    response_model=Readiness,
    responses=problems.documented(503),
    openapi_extra=reading.TOLERANT,
)
async def ready(request: Request, parts: PartsDep) -> Response:
    """Say whether work can be done now, and what is down.

    Without database, pictures or inference the answer is 503. Without reports, or with a disk
    that is nearly full, it is 200 and `degraded`: all else still works, and no replica should be
    taken out for it.
    """
    checks = await parts.health.check()
    down = [name for name, state in checks.items() if state != "ok"]
    if NEEDED.intersection(down):
        down_now = errors.UnavailableError(f"Down: {', '.join(down)}.")
        return problems.answer(down_now, request.scope, checks=checks)
    status: Literal["ready", "degraded"] = "degraded" if down else "ready"
    return JSONResponse(Readiness(status=status, checks=checks).model_dump())


_EXPOSED = {"text/plain": {"example": 'gateway_requests_total{method="GET",route="/v1/me"} 7.0'}}
_FIGURES: dict[str, Any] = {"description": "In the text format of Prometheus.", "content": _EXPOSED}


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses={200: _FIGURES},
    openapi_extra=reading.TOLERANT,
)
async def metrics(parts: PartsDep) -> Response:
    """Give the figures of the gateway for Prometheus; where it has several workers, of each."""
    # Its figures are as old as the last look, and nobody else may have looked for long.
    with contextlib.suppress(OSError):
        await parts.space.full()
    return Response(await parts.exposition.text(), media_type=CONTENT_TYPE_LATEST)
