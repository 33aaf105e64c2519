"""The pictures of an analysis."""

# The id in these paths is taken by the dependency that finds the record.
# ruff: noqa: FAST003

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Response

from services.gateway.analyses import THUMBNAIL_PX
from services.gateway.dependencies import PartsDep
from services.gateway.problems import documented
from services.gateway.routes.files import file_of, gives, private
from services.gateway.subjects import AnalysisDep, the_analysis

router = APIRouter(tags=["pictures"])

_TAG = {
    "ETag": {
        "description": "Names the picture as it is now, for `If-None-Match`.",
        "schema": {"type": "string", "examples": ['"9f86d081-256"']},
        "required": True,
    }
}
_gives = partial(gives, of=the_analysis)


@router.get("/v1/analyses/{analysis_id}/image", **_gives("image/jpeg", "image/png"))
async def image(record: AnalysisDep, parts: PartsDep) -> Response:
    """Give the picture as it was judged: upright, in its own format, nothing but pixels."""
    kind = record.image_format
    return private(await parts.views.image(record), f"image/{kind}", f"{record.id}.{kind}")


@router.get(
    "/v1/analyses/{analysis_id}/thumbnail.jpeg",
    responses={
        200: {**file_of("image/jpeg"), "headers": _TAG},
        304: {"description": "It is as `If-None-Match` says.", "headers": _TAG},
        **documented(401, 403, 404, 422, 503),
    },
    response_class=Response,
)
async def thumbnail(
    record: AnalysisDep,
    parts: PartsDep,
    if_none_match: Annotated[
        str | None, Header(max_length=500, description="The `ETag` of what is there already.")
    ] = None,
) -> Response:
    """Give the picture small, as a JPEG of 256 pixels at most, for lists.

    It may be kept by who asked for it, who asks each time whether they may still see it.
    """
    tag = f'"{record.image_sha256}-{THUMBNAIL_PX}"'
    headers = {"Cache-Control": "private, no-cache", "ETag": tag}
    if record.image_sha256 and if_none_match and tag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(await parts.views.thumbnail(record), media_type="image/jpeg", headers=headers)


@router.get("/v1/analyses/{analysis_id}/mask.png", **_gives("image/png"))
async def mask(record: AnalysisDep, parts: PartsDep) -> Response:
    """Give the lesion's mask: 255 lesion, 0 skin, in the picture's size."""
    return private(await parts.views.mask(record), "image/png", f"{record.id}.mask.png")


@router.get("/v1/analyses/{analysis_id}/overlay.png", **_gives("image/png"))
async def overlay(record: AnalysisDep, parts: PartsDep) -> Response:
    """Give the picture with the lesion's outline, for looking at."""
    return private(await parts.views.overlay(record), "image/png", f"{record.id}.overlay.png")


@router.get("/v1/analyses/{analysis_id}/explanation.png", **_gives("image/png"))
async def explanation(record: AnalysisDep, parts: PartsDep) -> Response:
    """Give the picture under a heat map of what spoke for the label."""
    drawn = await parts.views.explanation(record)
    return private(drawn, "image/png", f"{record.id}.explanation.png")
