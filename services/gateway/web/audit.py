"""Who did what in an organisation."""

from datetime import UTC, date, datetime, time
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from services.gateway import audit, errors
from services.gateway.dependencies import AdminDep, Cursor, PartsDep
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.routes.audit import exported
from services.gateway.routes.moments import Day
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_ROWS = 50
_Text = Annotated[str, Query(max_length=64)]
_Empty = BeforeValidator(lambda text: text or None)


class _Form(BaseModel):
    """What is typed to narrow the list; every field may be left empty."""

    user: Annotated[str | None, _Empty] = None
    action: Annotated[str | None, Field(pattern=r"^[a-z_.-]{1,64}$"), _Empty] = None
    since: Annotated[Day | None, _Empty] = None
    until: Annotated[Day | None, _Empty] = None

    async def asked(self, parts: Parts, caller: Caller) -> audit.Asked:
        """Return which rows are meant; raises ``NotFoundError`` where there is no such user."""
        user = await parts.accounts.called(caller.scope, self.user) if self.user else None
        since, until = _begins(self.since), _begins(self.until)
        return audit.Asked(user.id if user else None, self.action, None, since, until)


async def _written(
    user: _Text = "", action: _Text = "", since: _Text = "", until: _Text = ""
) -> dict[str, str]:
    return {"user": user, "action": action, "since": since, "until": until}


_WrittenDep = Annotated[dict[str, str], Depends(_written)]


@router.get("/admin/audit")
async def page_audit(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    written: _WrittenDep,
    cursor: Cursor = None,
) -> HTMLResponse:
    """List what was done, newest first."""
    rows: list[audit.Row] = []
    refusal, onward = None, None
    try:
        asked = await _Form.model_validate(written).asked(parts, caller)
        audit.noted().detail.update(asked.said())
        rows, onward = await parts.ledger.page(caller.scope, asked, _ROWS, cursor)
    except (ValidationError, errors.InvalidRequestError, errors.NotFoundError) as error:
        refusal = Refusal.of(error)
    users = {str(row["user_id"]) for row in rows if row["user_id"]}
    names = await parts.accounts.names(caller.scope, users)
    shown = {
        "written": written,
        "asked": urlencode(written),
        "refusal": refusal.sentence if refusal else "",
        "rows": rows,
        "next_cursor": onward,
        "names": names,
    }
    if refusal:
        return pages.refuse(request, "audit.html", shown, refusal, caller=caller)
    return pages.show(request, "audit.html", shown, caller=caller)


@router.get("/admin/audit/export")
async def page_export_audit(parts: PartsDep, caller: AdminDep, written: _WrittenDep) -> Response:
    """Give all rows that the list is narrowed to, as lines of JSON.

    Raises:
        InvalidRequestError: a field is not as it must be.
        NotFoundError: there is no such user.

    """
    try:
        asked = await _Form.model_validate(written).asked(parts, caller)
    except ValidationError as error:
        raise errors.InvalidRequestError(Refusal.of(error).sentence) from error
    audit.noted().detail.update(asked.said())
    answer = exported(caller, parts, asked)
    answer.headers["Content-Disposition"] = 'attachment; filename="dermserve-audit.jsonl"'
    return answer


def _begins(day: date | None) -> str | None:
    return None if day is None else audit.moment(datetime.combine(day, time.min, UTC))
