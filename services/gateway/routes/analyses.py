"""Analyses: made, listed, shown, removed."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, BeforeValidator

from services.gateway.analyses import Filters, Subject
from services.gateway.deadlines import Deadline
from services.gateway.dependencies import Cursor, Limit, PartsDep, ReaderDep, RemoverDep, WriterDep
from services.gateway.presence import while_there
from services.gateway.problems import documented
from services.gateway.routes.shapes import AnalysisPage, AnalysisView, Label
from services.gateway.uploads.body import FORM_TYPE, PICTURE_FIELD, PICTURE_TYPES

router = APIRouter(tags=["analyses"])

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BINARY = {"type": "string", "format": "binary"}


def _body() -> dict[str, Any]:
    """Describe the body, which is read by us because the framework would not bound it."""
    subject = Subject.model_json_schema()["properties"]
    form = {
        "type": "object",
        "required": [PICTURE_FIELD],
        "properties": {PICTURE_FIELD: _BINARY, **subject},
    }
    content: dict[str, Any] = {FORM_TYPE: {"schema": form}}
    content.update({kind: {"schema": _BINARY} for kind in PICTURE_TYPES})
    return {"requestBody": {"required": True, "content": content}}


def _spelled_out(text: object) -> object:
    """Refuse plain numbers, which would be taken for seconds or milliseconds, whichever fits."""
    if isinstance(text, str) and _DATE.match(text) is None:
        raise ValueError("must begin with a date, as RFC 3339 writes it")
    return text


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999 in UTC") from error


_Moment = Annotated[datetime, BeforeValidator(_spelled_out), AfterValidator(_in_utc)]
# A NUL would not fit into PostgreSQL.
_PatientId = Annotated[str | None, Query(max_length=64, pattern=r"^[^\x00]*$")]


@router.post(
    "/v1/analyses",
    status_code=201,
    openapi_extra=_body(),
    responses=documented(401, 403, 408, 413, 415, 422, 502, 503, 504),
)
async def analyze(
    request: Request, response: Response, caller: WriterDep, parts: PartsDep
) -> AnalysisView:
    """Analyze one picture, sent as a form or as the bytes themselves.

    JPEG or PNG, one still picture; it is turned upright and kept without anything but its
    pixels. When the analysis fails, or the caller leaves before it is done, nothing is kept.
    """
    with parts.places.taken():
        upload = await parts.bodies.read(request)
        # The clock starts when the picture is there: a slow line is not a slow analysis.
        deadline = Deadline.after(parts.analysis_timeout_s)
        work = parts.analyzer.analyze(caller.scope, upload, deadline)
        record = await while_there(request, work)
    response.headers["Location"] = f"/v1/analyses/{record.id}"
    return AnalysisView.of(record)


@router.get("/v1/analyses", responses=documented(401, 403, 422))
async def analyses(
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    label: Label | None = None,
    patient_id: _PatientId = None,
    since: Annotated[_Moment | None, Query(description="Made then or later; RFC 3339.")] = None,
    until: Annotated[_Moment | None, Query(description="Made before then; RFC 3339.")] = None,
) -> AnalysisPage:
    """List analyses, newest first: the caller's own, or all of an organisation that shares."""
    filters = Filters(label, patient_id, since, until)
    page = await parts.history.page(caller.scope, filters, limit, cursor)
    return AnalysisPage(
        items=[AnalysisView.of(record) for record in page.items], next_cursor=page.next_cursor
    )


@router.get("/v1/analyses/{analysis_id}", responses=documented(401, 403, 404))
async def analysis(analysis_id: str, caller: ReaderDep, parts: PartsDep) -> AnalysisView:
    """Show an analysis."""
    return AnalysisView.of(await parts.history.get(caller.scope, analysis_id))


@router.delete("/v1/analyses/{analysis_id}", status_code=204, responses=documented(401, 403, 404))
async def delete_analysis(analysis_id: str, caller: RemoverDep, parts: PartsDep) -> None:
    """Remove an analysis, with its pictures."""
    await parts.history.delete(caller.scope, analysis_id)
