"""The pictures and the report of an analysis."""

# The id in these paths is taken by the dependency that finds the record.
# ruff: noqa: FAST003

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from services.gateway.dependencies import PartsDep, ReaderDep, ReportDeadlineDep
from services.gateway.problems import documented
from services.gateway.records import Analysis

router = APIRouter(tags=["pictures"])


async def _record(analysis_id: str, caller: ReaderDep, parts: PartsDep) -> Analysis:
    return await parts.history.get(caller.scope, analysis_id)


_RecordDep = Annotated[Analysis, Depends(_record)]


async def _place(_found: _RecordDep, parts: PartsDep) -> AsyncIterator[None]:
    """Hold a place in memory until the answer is out; only for who may have it."""
    with parts.places.taken():
        yield


def _gives(*kinds: str, failing: tuple[int, ...] = (401, 403, 404, 503)) -> dict[str, Any]:
    """Describe a route whose answer is a file."""
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in kinds}
    ok = {200: {"description": "The file.", "content": content}}
    return {
        "responses": ok | documented(*failing),
        "response_class": Response,
        "dependencies": [Depends(_place)],
    }


def _private(content: bytes, kind: str, name: str) -> Response:
    """Answer with a file that nobody on the way may keep."""
    return Response(
        content,
        media_type=kind,
        headers={
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'inline; filename="{name}"',
        },
    )


@router.get("/v1/analyses/{analysis_id}/image", **_gives("image/jpeg", "image/png"))
async def image(record: _RecordDep, parts: PartsDep) -> Response:
    """Give the picture as it was judged: upright, in its own format, nothing but pixels."""
    kind = record.image_format
    return _private(await parts.views.image(record), f"image/{kind}", f"{record.id}.{kind}")


@router.get("/v1/analyses/{analysis_id}/mask.png", **_gives("image/png"))
async def mask(record: _RecordDep, parts: PartsDep) -> Response:
    """Give the lesion's mask: 255 lesion, 0 skin, in the picture's size."""
    return _private(await parts.views.mask(record), "image/png", f"{record.id}.mask.png")


@router.get("/v1/analyses/{analysis_id}/overlay.png", **_gives("image/png"))
async def overlay(record: _RecordDep, parts: PartsDep) -> Response:
    """Give the picture with the lesion's outline, for looking at."""
    return _private(await parts.views.overlay(record), "image/png", f"{record.id}.overlay.png")


@router.get("/v1/analyses/{analysis_id}/explanation.png", **_gives("image/png"))
async def explanation(record: _RecordDep, parts: PartsDep) -> Response:
    """Give the picture under a heat map of what spoke for the label."""
    drawn = await parts.views.explanation(record)
    return _private(drawn, "image/png", f"{record.id}.explanation.png")


@router.get(
    "/v1/analyses/{analysis_id}/report.pdf",
    **_gives("application/pdf", failing=(401, 403, 404, 502, 503, 504)),
)
async def report(record: _RecordDep, parts: PartsDep, deadline: ReportDeadlineDep) -> Response:
    """Give the report."""
    pdf = await parts.views.report(record, deadline)
    return _private(pdf, "application/pdf", f"{record.id}.pdf")
