"""Who did what in an organisation, for its administrators."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from services.gateway import audit
from services.gateway.dependencies import AdminDep, Cursor, Limit, PartsDep
from services.gateway.identity import Caller, Permission
from services.gateway.parts import Parts
from services.gateway.problems import documented
from services.gateway.records import now
from services.gateway.routes.moments import Moment

router = APIRouter(tags=["audit"])

LINES = "application/jsonl"
_ALSO_LINES = "application/x-ndjson"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class AuditRowView(BaseModel):
    """One thing that somebody did, or was refused; just as it was hashed."""

    organisation_id: str
    sequence: int = Field(description="Number of the row in the chain of the organisation.")
    at: str = Field(examples=["2026-03-02T08:15:30.000000Z"])
    user_id: str | None
    sign_in_id: str | None
    api_key_id: str | None
    operator: str | None = Field(
        description="The operating system's user, of commands.", examples=["root"]
    )
    action: str = Field(examples=["patients.read"])
    operation: str = Field(description="By its id in this document.", examples=["patient"])
    subject: str | None = Field(description="Kind of what it was done to.", examples=["patient"])
    subject_ids: str | None = Field(
        description="Ids of what it was done to, a space between them.",
        examples=["0192f3a15b7c7d2e8f90a1b2c3d4e5f6"],
    )
    detail: str | None = Field(description="More, as JSON.", examples=['{"role": "viewer"}'])
    address: str | None = Field(description="Of the client.", examples=["203.0.113.7"])
    request_id: str | None
    outcome: str = Field(
        description="`begun` (what became of it is said in a later row), `done`, `refused`, "
        "`failed`, or `left` by its caller.",
        examples=["done"],
    )
    status: int | None = Field(description="Of the answer.", examples=[200])
    problem: str | None = Field(description="Kind of the problem.", examples=["not-found"])
    key: str | None = Field(
        description="Name of the key that it is hashed with.", examples=["49baaf58d0da67da"]
    )
    previous: str = Field(description="Hash of the row before it.", examples=[_HASH])
    hash: str = Field(examples=[_HASH])


class AuditPage(BaseModel):
    """Some rows, newest first."""

    items: list[AuditRowView]
    next_cursor: str | None


_User = Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Only of this user.")]
_Subject = Annotated[
    str | None,
    Query(pattern=r"^[0-9a-f]{32}$", description="Only what was done to what has this id."),
]
_Action = Annotated[str | None, Query(pattern=r"^[a-z_.-]{1,64}$", description="Only this action.")]


async def _asked(
    user: _User = None,
    action: _Action = None,
    subject: _Subject = None,
    since: Annotated[Moment | None, Query(description="Done then or later; RFC 3339.")] = None,
    until: Annotated[Moment | None, Query(description="Done before then; RFC 3339.")] = None,
) -> audit.Asked:
    first, last = (None if each is None else audit.moment(each) for each in (since, until))
    return audit.Asked(user, action, subject, first, last)


_LINES: dict[int | str, dict[str, Any]] = {
    200: {"content": {LINES: {"schema": {"type": "string"}, "example": "{…}\n{…}\n"}}}
}


@router.get(
    "/v1/audit",
    response_model=AuditPage,
    responses=_LINES | documented(401, 403, 422),
)
async def audit_rows(
    admin: AdminDep,
    parts: PartsDep,
    asked: Annotated[audit.Asked, Depends(_asked)],
    limit: Limit = 50,
    cursor: Cursor = None,
    accept: Annotated[
        str, Header(description=f"`{LINES}` for all rows at once, oldest first, one a line.")
    ] = "application/json",
) -> Any:
    """List what was done in the own organisation, newest first; as lines of JSON, all of it.

    Lines stream, and end with what was done before they were asked for; they are broken off when
    the caller may not see them any more. Pages and their limit are not for them. Whoever looks is
    recorded too.
    """
    audit.noted().detail.update(asked.said())
    if not {LINES, _ALSO_LINES} & {each.partition(";")[0].strip() for each in accept.split(",")}:
        rows, next_cursor = await parts.ledger.page(admin.scope, asked, limit, cursor)
        return AuditPage.model_validate({"items": rows, "next_cursor": next_cursor})
    audit.noted().action = "audit.export"
    return exported(admin, parts, asked)


def exported(admin: Caller, parts: Parts, asked: audit.Asked) -> StreamingResponse:
    """Answer with all rows that were asked for, as lines of JSON."""
    stream = parts.ledger.stream(admin.scope, asked.ending(now()))
    still = partial(parts.access.still, admin, Permission.MANAGE)
    return StreamingResponse(_lines(stream, still), media_type=LINES)


async def _lines(
    stream: AsyncIterator[list[audit.Row]], still: Callable[[], Awaitable[None]]
) -> AsyncIterator[str]:
    """Give rows as lines; broken off, and not ended, when whoever asked may not see them now."""
    async for rows in stream:
        await still()
        yield "".join(f"{audit.line(row)}\n" for row in rows)
