"""One's own sign-ins."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway.dependencies import Cursor, Limit, PartsDep, SignedInDep
from services.gateway.problems import documented
from services.gateway.records import SignInMethod

router = APIRouter(tags=["accounts"])


class SessionView(BaseModel):
    """A sign-in that has not ended."""

    id: str
    created_at: datetime
    used_at: datetime = Field(
        description="When it was last used, to the minute, if it is a browser's; else when its "
        "tokens were last exchanged for new ones."
    )
    expires_at: datetime
    method: SignInMethod = Field(description="How it began.")
    current: bool = Field(description="Whether this request was made in it.")


class SessionPage(BaseModel):
    """Some sign-ins, newest first."""

    items: list[SessionView]
    next_cursor: str | None


@router.get("/v1/me/sessions", responses=documented(401, 403, 422))
async def sessions(
    caller: SignedInDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> SessionPage:
    """List one's own sign-ins, newest first."""
    page = await parts.own_sign_ins.page(caller.user.id, limit, cursor)
    items = [
        SessionView(**each.model_dump(), current=each.id == caller.sign_in_id)
        for each in page.items
    ]
    return SessionPage(items=items, next_cursor=page.next_cursor)


@router.delete("/v1/me/sessions/{session_id}", status_code=204, responses=documented(401, 403, 404))
async def end_session(session_id: str, caller: SignedInDep, parts: PartsDep) -> None:
    """End one of one's own sign-ins: none of its tokens is good from the next request on."""
    await parts.own_sign_ins.end(caller.user.id, session_id)
