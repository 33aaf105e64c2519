"""The history: all analyses that somebody may see, narrowed and sorted by a plain form."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.gateway import errors
from services.gateway.analyses import SORTS, Filters
from services.gateway.dependencies import PartsDep, ReaderDep
from services.gateway.findings import LABEL_NAMES
from services.gateway.identity import Caller
from services.gateway.paging import Page
from services.gateway.parts import Parts
from services.gateway.records import Analysis
from services.gateway.routes.analyses import Sort
from services.gateway.routes.analysis_shapes import AnalysisView, Label
from services.gateway.routes.lesions import BODY_SITES
from services.gateway.routes.moments import Day
from services.gateway.text import Text
from services.gateway.web.pages import Pages, PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_A_PAGE = 24
_NEWEST: Sort = "-created_at"

_Id = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
_Given = BeforeValidator(lambda text: text or None)
"""Forms send a field that nobody filled in all the same."""

_RESULTS: dict[str, dict[str, Any]] = {
    "suspicious": {"suspicious": True},
    "not_suspicious": {"suspicious": False},
    "cannot_assess": {"outcome": "cannot_assess"},
    "failed": {"status": "failed"},
}


class _Asked(BaseModel):
    """What a form asks for, as ``Filters`` has it but for days and results."""

    model_config = ConfigDict(str_strip_whitespace=True)

    since: Annotated[Day | None, _Given] = None
    until: Annotated[Day | None, _Given] = None
    result: Annotated[
        Literal["suspicious", "not_suspicious", "cannot_assess", "failed"] | None, _Given
    ] = None
    label: Annotated[Label | None, _Given] = None
    patient_id: Annotated[Annotated[Text, Field(max_length=64)] | None, _Given] = None
    body_site: Annotated[Annotated[Text, Field(max_length=100)] | None, _Given] = None
    patient: Annotated[_Id | None, _Given] = None
    lesion: Annotated[_Id | None, _Given] = None
    batch: Annotated[_Id | None, _Given] = None
    sort: Sort = _NEWEST
    cursor: Annotated[Annotated[str, Field(max_length=128)] | None, _Given] = None

    def filters(self) -> Filters:
        """Return the same for the use case; the last day is one of those that are asked for."""
        plain = self.model_dump(exclude={"since", "until", "result", "sort", "cursor"})
        return Filters(
            **plain,
            **_RESULTS.get(self.result or "", {}),
            since=_midnight(self.since),
            until=_midnight(self.until, days=1),
        )

    def query(self) -> dict[str, str]:
        """Return what of it stands in the address of the same list."""
        given = self.model_dump(mode="json", exclude_none=True, exclude={"cursor"})
        return {name: str(value) for name, value in given.items() if value != _NEWEST}


_Text = Annotated[str, Query(max_length=400)]


@dataclass(frozen=True)
class Written:
    """The same as it was written, right or wrong."""

    since: _Text = ""
    until: _Text = ""
    result: _Text = ""
    label: _Text = ""
    patient_id: _Text = ""
    body_site: _Text = ""
    patient: _Text = ""
    lesion: _Text = ""
    batch: _Text = ""
    sort: _Text = _NEWEST
    cursor: _Text = ""


WrittenDep = Annotated[Written, Depends()]


@router.get("/analyses")
async def page_history(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: ReaderDep,
    written: WrittenDep,
) -> HTMLResponse:
    """Show analyses; what cannot be asked for is said, beside the newest of all."""
    return await listed(request, pages, parts, caller, written)


async def listed(
    request: Request,
    pages: Pages,
    parts: Parts,
    caller: Caller,
    written: Written,
    *,
    refusal: Refusal | None = None,
    chosen: tuple[str, ...] = (),
) -> HTMLResponse:
    """Return the page of a list.

    Args:
        request: that asks for it.
        pages: has its template.
        parts: of this process.
        caller: who asks.
        written: what is asked for, right or wrong.
        refusal: why something that the page offers was refused.
        chosen: the ids that this was asked of.

    """
    try:
        asked = _Asked.model_validate(asdict(written))
        page = await parts.history.page(
            caller.scope, asked.filters(), _A_PAGE, asked.cursor, SORTS[asked.sort]
        )
    except (ValidationError, errors.InvalidRequestError) as error:
        refusal, asked = Refusal.of(error), _Asked()
        page = await parts.history.page(caller.scope, asked.filters(), _A_PAGE, None)
    said = {"refusal": refusal.sentence if refusal else "", "chosen": chosen}
    shown = _shown(asked, page) | said
    if refusal:
        return pages.refuse(request, "history.html", shown, refusal, caller=caller)
    return pages.show(request, "history.html", shown, caller=caller)


def _shown(asked: _Asked, page: Page[Analysis]) -> dict[str, Any]:
    query = asked.query()
    return {
        "asked": asked,
        "here_again": query | ({"cursor": asked.cursor} if asked.cursor else {}),
        "analyses": [AnalysisView.of(record) for record in page.items],
        "narrowed": bool(query.keys() - {"sort"}),
        "first_page": f"/analyses?{urlencode(query)}" if asked.cursor else None,
        "next_page": page.next_cursor
        and f"/analyses?{urlencode(query | {'cursor': page.next_cursor})}",
        "label_names": LABEL_NAMES,
        "sites": BODY_SITES,
    }


def _midnight(day: Day | None, days: int = 0) -> datetime | None:
    """Return when a day begins, or one so many days later; the last of all days never ends."""
    if day is None:
        return None
    begin = datetime.combine(day, time(), UTC)
    try:
        return begin + timedelta(days=days)
    except OverflowError:
        return None
