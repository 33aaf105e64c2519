"""Forgotten passwords: an administrator hands over a code, whose user chooses another one."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import AddressQuota, AdminDep, Begun, PartsDep
from services.gateway.routes.password_resets import PasswordReset
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Fields, Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_REFUSED = (
    ValidationError,
    errors.UnauthenticatedError,
    errors.InvalidRequestError,
    errors.UnavailableError,
)
_FIELDS: Fields = {errors.UnauthenticatedError: "code", errors.UnfitPasswordError: "new_password"}
_Field = Annotated[str, Form()]


@router.post("/admin/users/{user_id}/password-reset")
async def page_issue_password_reset(
    user_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: AdminDep
) -> HTMLResponse:
    """Make a code and show it, this once; the one before it is good no more."""
    user = await parts.accounts.get(caller.scope, user_id)
    code = await parts.password_resets.issue(user, by=caller.user)
    shown = {"username": user.username, "code": code}
    return pages.show(request, "password_code.html", shown, caller=caller)


@router.get("/sign-in/reset", dependencies=[AddressQuota])
async def page_password_reset(request: Request, pages: PagesDep) -> HTMLResponse:
    """Ask for the code and another password."""
    return pages.show(request, "password_reset.html", {"refusal": ""})


@router.post("/sign-in/reset", dependencies=[AddressQuota, Begun])
async def page_reset_password(
    request: Request, pages: PagesDep, parts: PartsDep, code: _Field = "", new_password: _Field = ""
) -> Response:
    """Choose another password with a code; all sign-ins end at once."""
    try:
        reset = PasswordReset(code=code.strip(), new_password=new_password)
        await parts.password_resets.redeem(reset.code, reset.new_password)
    except _REFUSED as error:
        refusal = Refusal.of(error, _FIELDS)
        shown = {"refusal": refusal.sentence}
        return pages.refuse(request, "password_reset.html", shown, refusal)
    return RedirectResponse("/sign-in?done=reset", 303)
