"""Analyses: made, listed, shown, removed."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from services.gateway.analyses import SORTS, Filters, Outcome, Subject
from services.gateway.dependencies import (
    Cursor,
    IdempotencyKeyDep,
    Limit,
    PartsDep,
    ReaderDep,
    RemoverDep,
    WriterDep,
)
from services.gateway.problems import documented
from services.gateway.records import UNFINISHED, Status
from services.gateway.routes.analysis_shapes import AnalysisPage, AnalysisView, Label
from services.gateway.routes.moments import Moment
from services.gateway.routes.prefer import RESPOND_ASYNC, AsyncDep
from services.gateway.routes.sending import analyzed
from services.gateway.text import Text
from services.gateway.uploads.body import FORM_TYPE, PICTURE_FIELD, PICTURE_TYPES

router = APIRouter(tags=["analyses"])

_BINARY = {"type": "string", "format": "binary"}


def _body() -> dict[str, Any]:
    """Describe the body, which is read by us because the framework would not bound it."""
    subject = Subject.model_json_schema()["properties"]
    form = {
        "type": "object",
        "additionalProperties": False,
        "required": [PICTURE_FIELD],
        "properties": {PICTURE_FIELD: _BINARY, **subject},
    }
    content: dict[str, Any] = {FORM_TYPE: {"schema": form}}
    content.update({kind: {"schema": _BINARY} for kind in PICTURE_TYPES})
    return {"requestBody": {"required": True, "content": content}}


_LATER: dict[int | str, dict[str, Any]] = {
    202: {
        "model": AnalysisView,
        "description": "Taken in; it is analyzed later.",
        "headers": {
            "Location": {
                "description": "Where it is shown from now on.",
                "schema": {"type": "string", "format": "uri-reference"},
                "required": True,
            },
            "Preference-Applied": {
                "description": "The preference that was followed (RFC 7240).",
                "schema": {"const": RESPOND_ASYNC},
            },
        },
    }
}


_Id = Annotated[str, Query(pattern=r"^[0-9a-f]{32}$")]


@router.post(
    "/v1/analyses",
    status_code=201,
    openapi_extra=_body(),
    responses=_LATER | documented(401, 403, 408, 409, 413, 415, 422, 502, 503, 504, 507),
)
async def analyze(
    request: Request,
    response: Response,
    caller: WriterDep,
    parts: PartsDep,
    key: IdempotencyKeyDep,
    later: AsyncDep,
) -> AnalysisView:
    """Analyze one picture, sent as a form or as the bytes themselves.

    JPEG or PNG, one still picture; it is turned upright and kept without anything but its
    pixels. When the analysis fails, or the caller leaves before it is done, nothing is kept.

    With `Prefer: respond-async` the picture is checked and kept before the answer (202), and
    analyzed as soon as there is room: the analysis at `Location` is `queued`, then `running`, and
    ends as `succeeded` or, with a `problem`, as `failed`.
    """
    with parts.places.taken(caller.user.id):
        upload = await parts.bodies.read(request)
        record = await analyzed(request, caller, parts, upload, key, later=later)
    response.headers["Location"] = f"/v1/analyses/{record.id}"
    if later:
        response.headers["Preference-Applied"] = RESPOND_ASYNC
    if record.status in UNFINISHED:
        response.status_code = 202
    return AnalysisView.of(record)


@dataclass(frozen=True)
class AskedFilters(Filters):
    """Which analyses to list, as an address asks for them."""

    label: Label | None = None
    patient_id: Annotated[
        Text | None, Query(max_length=64, description="Only those sent with this one.")
    ] = None
    patient: Annotated[_Id | None, Query(description="Only those attached to it.")] = None
    lesion: Annotated[_Id | None, Query(description="Only those attached to it.")] = None
    since: Annotated[Moment | None, Query(description="Made then or later; RFC 3339.")] = None
    until: Annotated[Moment | None, Query(description="Made before then; RFC 3339.")] = None
    batch: Annotated[_Id | None, Query(description="Only those of this batch.")] = None
    status: Annotated[Status | None, Query(description="Only those that are so far.")] = None
    outcome: Annotated[
        Outcome | None, Query(description="Only those that were assessed, or could not be.")
    ] = None
    suspicious: Annotated[
        bool | None,
        Query(
            description="Only those that reach their operating point, or only those that do not."
        ),
    ] = None
    body_site: Annotated[
        Text | None, Query(max_length=100, description="Only those of this place, word for word.")
    ] = None


FiltersDep = Annotated[AskedFilters, Depends()]
Sort = Annotated[
    Literal["-created_at", "created_at", "-malignant_probability", "malignant_probability"],
    Query(
        description="What they are listed by; `-` for the largest first. By a probability only "
        "those are listed that have one."
    ),
]


@router.get("/v1/analyses", responses=documented(401, 403, 422))
async def analyses(
    caller: ReaderDep,
    parts: PartsDep,
    filters: FiltersDep,
    sort: Sort = "-created_at",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> AnalysisPage:
    """List analyses: the caller's own, or all of an organisation that shares.

    Newest first, unless `sort` says otherwise. A cursor is good for the `sort` that gave it.
    """
    page = await parts.history.page(caller.scope, filters, limit, cursor, SORTS[sort])
    return AnalysisPage(
        items=[AnalysisView.of(record) for record in page.items], next_cursor=page.next_cursor
    )


@router.get("/v1/analyses/{analysis_id}", responses=documented(401, 403, 404))
async def analysis(analysis_id: str, caller: ReaderDep, parts: PartsDep) -> AnalysisView:
    """Show an analysis."""
    return AnalysisView.of(await parts.history.get(caller.scope, analysis_id))


@router.delete("/v1/analyses/{analysis_id}", status_code=204, responses=documented(401, 403, 404))
async def delete_analysis(analysis_id: str, caller: RemoverDep, parts: PartsDep) -> None:
    """Remove an analysis.

    It is gone from every answer at once, and with its pictures for good with the next purge after
    the retention.
    """
    await parts.history.delete(caller.scope, analysis_id)
