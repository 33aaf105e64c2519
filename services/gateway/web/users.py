"""The users of an organisation."""

from typing import Annotated, Any, Literal

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import AdminDep, Cursor, PartsDep
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import Role, User
from services.gateway.routes.account_shapes import NewUser, UserChange
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import NOT_DONE, Fields, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, keyed, new_token

router = pages_router()

_USERS = 50
_OF_NEW: Fields = {
    errors.UnfitPasswordError: "password",
    errors.InvalidRequestError: "username",
    errors.ConflictError: "username",
}
_Field = Annotated[str, Form(max_length=256)]


@router.get("/admin/users")
async def page_users(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    cursor: Cursor = None,
    done: Literal["made", "changed", "second-factor"] | None = None,
) -> HTMLResponse:
    """List the users, and offer to make and change them."""
    shown = await _shown(parts, caller, cursor=cursor, done=done)
    return pages.show(request, "users.html", shown, caller=caller)


@router.post("/admin/users")
async def page_create_user(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    username: _Field = "",
    password: _Field = "",
    role: _Field = Role.CLINICIAN,
    form: Token = "",
) -> Response:
    """Make an account; the same form sent twice makes one."""
    try:
        new = NewUser.model_validate({"username": username, "password": password, "role": role})
        body = tuple(each.encode() for each in (username, password, role))
        await parts.once.make(
            caller.user.id,
            keyed(request, form, body, secret=True),
            User,
            lambda made: parts.accounts.create(
                new.username, new.password, new.role, caller.user.organisation_id, made
            ),
            lambda made: parts.accounts.get(caller.scope, made),
        )
    except NOT_DONE as error:
        return await _refused(
            request, pages, parts, caller, error, form, username=username, role=role
        )
    return RedirectResponse("/admin/users?done=made", 303)


@router.post("/admin/users/{user_id}")
async def page_change_user(
    user_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    role: Annotated[str | None, Form(max_length=32)] = None,
    disabled: Annotated[Literal["yes", "no"] | None, Form()] = None,
    revision: Annotated[int, Form(ge=0)] = 0,
) -> Response:
    """Change a role, or keep somebody out; what somebody else changed meanwhile is shown."""
    found = await parts.accounts.get(caller.scope, user_id)
    try:
        change = UserChange.model_validate(
            {"role": role, "disabled": None if disabled is None else disabled == "yes"}
        )
        wanted = change.model_dump(exclude_none=True)
        # Who sends the form twice has what they want: it is as they asked.
        if found.model_dump(include=set(wanted)) != wanted:
            meant = frozenset({revision})
            await parts.accounts.change(user_id, caller.scope, revisions=meant, **wanted)
    except (*NOT_DONE, errors.ChangedMeanwhileError) as error:
        return await _refused(request, pages, parts, caller, error)
    return RedirectResponse("/admin/users?done=changed", 303)


@router.post("/admin/users/{user_id}/second-factor/remove")
async def page_remove_second_factor(
    user_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: AdminDep
) -> Response:
    """Take the second factor away of somebody who has lost it; all their sign-ins end."""
    user = await parts.accounts.get(caller.scope, user_id)
    try:
        await parts.second_factors.remove_for(user, by=caller.user)
    except NOT_DONE as error:
        return await _refused(request, pages, parts, caller, error)
    return RedirectResponse("/admin/users?done=second-factor", 303)


async def _refused(
    request: Request,
    pages: PagesDep,
    parts: Parts,
    caller: Caller,
    error: errors.GatewayError | ValidationError,
    form: str = "",
    **written: str,
) -> Response:
    refusal = Refusal.of(error, _OF_NEW if written else {})
    again = refusal.again(form) | written
    shown = await _shown(parts, caller, **again)
    return pages.refuse(request, "users.html", shown, refusal, caller=caller)


async def _shown(
    parts: Parts, caller: Caller, *, cursor: str | None = None, **written: str | None
) -> dict[str, Any]:
    users = await parts.accounts.page(caller.scope, _USERS, cursor)
    return {
        "users": users,
        "with_factor": await parts.second_factors.owners([each.id for each in users.items]),
        "roles": list(Role),
        "form": new_token(),
        "refusal": "",
        "done": None,
        "username": "",
        "role": Role.CLINICIAN,
        **written,
    }
