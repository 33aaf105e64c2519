"""Reports of analyses, lesions and batches, and who asked for them."""

# The ids in these paths are taken by the dependencies that find the records.
# ruff: noqa: FAST003

from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, Field

from services.gateway.deadlines import Deadline
from services.gateway.dependencies import (
    Cursor,
    Limit,
    PartsDep,
    ReaderDep,
)
from services.gateway.languages import LANGUAGES, preferred
from services.gateway.paging import Page
from services.gateway.presence import while_there
from services.gateway.problems import PAGE, documented
from services.gateway.records import ReportRequest
from services.gateway.report_settings import Language
from services.gateway.reports import Subject
from services.gateway.routes.files import gives, private
from services.gateway.subjects import (
    AnalysisDep,
    BatchDep,
    LesionDep,
    the_analysis,
    the_batch,
    the_lesion,
)

router = APIRouter(tags=["reports"])


async def _language(
    parts: PartsDep,
    language: Annotated[
        Language | None,
        Query(description="Of the report; without it, what `Accept-Language` prefers."),
    ] = None,
    accept_language: Annotated[
        str | None,
        Header(description="Languages in order of preference (RFC 9110, section 12.5.4)."),
    ] = None,
) -> Language:
    return language or preferred(accept_language or "", parts.report_terms.language)


_LanguageDep = Annotated[Language, Depends(_language)]


async def _deadline(parts: PartsDep) -> Deadline:
    return Deadline.after(parts.report_terms.timeout_s)


async def _batch_deadline(parts: PartsDep) -> Deadline:
    return Deadline.after(parts.report_terms.batch_timeout_s)


_DeadlineDep = Annotated[Deadline, Depends(_deadline)]
_BatchDeadlineDep = Annotated[Deadline, Depends(_batch_deadline)]

_HEADERS = {
    "Content-Language": {
        "description": "What the report is written in.",
        "schema": {"type": "string", "enum": [*LANGUAGES]},
        "required": True,
    },
    "Vary": {
        "description": "What else of a request decides about the answer.",
        "schema": {"type": "string", "examples": ["Accept-Language"]},
        "required": True,
    },
}
_FAILING = (401, 403, 404, 409, 502, 503, 504)
_gives_report = partial(gives, "application/pdf", failing=_FAILING, headers=_HEADERS)


def _answer(pdf: bytes, subject: Subject, language: Language) -> Response:
    told = {"Content-Language": language, "Vary": "Accept-Language"}
    return private(pdf, "application/pdf", f"{subject.id}.pdf", told)


@router.get("/v1/analyses/{analysis_id}/report.pdf", **_gives_report(of=the_analysis))
async def report(
    record: AnalysisDep,
    caller: ReaderDep,
    parts: PartsDep,
    language: _LanguageDep,
    deadline: _DeadlineDep,
) -> Response:
    """Give the report of an analysis, with what is known of its patient and lesion by now.

    Who asked for it is recorded: `GET /v1/analyses/{analysis_id}/reports` lists that.
    """
    rendering = parts.reporter.of_analysis(caller.scope, record, language, deadline)
    pdf = await parts.report_requests.recorded(caller.scope, record, rendering)
    return _answer(pdf, record, language)


@router.get("/v1/lesions/{lesion_id}/report.pdf", **_gives_report(of=the_lesion))
async def lesion_report(
    lesion: LesionDep,
    caller: ReaderDep,
    parts: PartsDep,
    language: _LanguageDep,
    deadline: _DeadlineDep,
) -> Response:
    """Give the report of a lesion: its latest hundred analyses that have an answer, over time.

    Who asked for it is recorded: `GET /v1/lesions/{lesion_id}/reports` lists that.
    """
    rendering = parts.reporter.of_lesion(caller.scope, lesion, language, deadline)
    pdf = await parts.report_requests.recorded(caller.scope, lesion, rendering)
    return _answer(pdf, lesion, language)


@router.get("/v1/batches/{batch_id}/report.pdf", **_gives_report(of=the_batch))
async def batch_report(
    request: Request,
    batch: BatchDep,
    caller: ReaderDep,
    parts: PartsDep,
    language: _LanguageDep,
    deadline: _BatchDeadlineDep,
) -> Response:
    """Give the report of a batch: what has become of each picture by now, and if it failed, why.

    Where there is no time for all thumbnails, the rest is shown without. Who asked for it is
    recorded: `GET /v1/batches/{batch_id}/reports` lists that.
    """
    rendering = parts.reporter.of_batch(caller.scope, batch, language, deadline)
    work = parts.report_requests.recorded(caller.scope, batch, rendering)
    return _answer(await while_there(request, work), batch, language)


class ReportRequestView(BaseModel):
    """A report that somebody asked for. The report itself is not kept."""

    id: str
    created_at: datetime
    user_id: str = Field(description="Who asked for it.")
    outcome: Literal["given", "refused"]
    sha256: str | None = Field(description="Of the PDF that was given.")
    size_bytes: int | None = Field(description="Of the same.", examples=[48213])
    problem: str | None = Field(
        description="Why none was given: the kind of problem, as in `Problem`.",
        examples=[f"{PAGE}#unavailable"],
    )

    @classmethod
    def of(cls, request: ReportRequest) -> Self:
        """Show a request."""
        return cls(
            id=request.id,
            created_at=request.created_at,
            user_id=request.owner_id,
            outcome="refused" if request.problem else "given",
            sha256=request.sha256,
            size_bytes=request.size_bytes,
            problem=f"{PAGE}#{request.problem}" if request.problem else None,
        )


class ReportRequestPage(BaseModel):
    """Some requests, newest first."""

    items: list[ReportRequestView]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[ReportRequest]) -> Self:
        """Show some."""
        items = [*map(ReportRequestView.of, page.items)]
        return cls(items=items, next_cursor=page.next_cursor)


_LISTS: dict[str, Any] = {"responses": documented(401, 403, 404, 422)}


@router.get("/v1/analyses/{analysis_id}/reports", **_LISTS)
async def reports(
    record: AnalysisDep,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReportRequestPage:
    """List who asked for reports of an analysis and what they were given, newest first."""
    page = await parts.report_requests.page(caller.scope, record, limit, cursor)
    return ReportRequestPage.of(page)


@router.get("/v1/lesions/{lesion_id}/reports", **_LISTS)
async def lesion_reports(
    lesion: LesionDep,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReportRequestPage:
    """List who asked for reports of a lesion and what they were given, newest first."""
    page = await parts.report_requests.page(caller.scope, lesion, limit, cursor)
    return ReportRequestPage.of(page)


@router.get("/v1/batches/{batch_id}/reports", **_LISTS)
async def batch_reports(
    batch: BatchDep,
    caller: ReaderDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> ReportRequestPage:
    """List who asked for reports of a batch and what they were given, newest first."""
    page = await parts.report_requests.page(caller.scope, batch, limit, cursor)
    return ReportRequestPage.of(page)
