"""One's own account: the password, and where one is signed in."""

from typing import Annotated, Any, Literal

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import Cursor, PartsDep, SignedInDep
from services.gateway.identity import SignedIn
from services.gateway.parts import Parts
from services.gateway.routes.account_shapes import PasswordChange
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Fields, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, new_token, removed_once

router = pages_router()

_SIGN_INS = 20
_REFUSED = (
    ValidationError,
    errors.InvalidRequestError,
    errors.ForbiddenError,
    errors.TooManyAttemptsError,
    errors.UnavailableError,
)
_FIELDS: Fields = {
    errors.WrongPasswordError: "current_password",
    errors.UnfitPasswordError: "new_password",
}
_Password = Annotated[str, Form()]


@router.get("/account")
async def page_account(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: SignedInDep,
    cursor: Cursor = None,
    changed: Literal["password", "second-factor"] | None = None,
) -> HTMLResponse:
    """Show who is signed in, and where."""
    shown = await account_shown(parts, caller, cursor=cursor, changed=changed)
    return pages.show(request, "account.html", shown, caller=caller)


@router.post("/account/password")
async def page_change_password(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: SignedInDep,
    current_password: _Password = "",
    new_password: _Password = "",
) -> Response:
    """Change the password; all other sign-ins end."""
    try:
        change = PasswordChange(current_password=current_password, new_password=new_password)
        await parts.passwords.change(
            caller.user, caller.sign_in_id, change.current_password, change.new_password
        )
    except _REFUSED as error:
        refusal = Refusal.of(error, _FIELDS)
        shown = await account_shown(parts, caller, refusal=refusal.sentence)
        return pages.refuse(request, "account.html", shown, refusal, caller=caller)
    return RedirectResponse("/account?changed=password", 303)


@router.post("/account/sign-ins/{session_id}/end")
async def page_end_sign_in(
    session_id: str, request: Request, parts: PartsDep, caller: SignedInDep, form: Token = ""
) -> Response:
    """End one of one's sign-ins; the same form sent twice leads to the same page."""

    async def work() -> None:
        await parts.own_sign_ins.end(caller.user.id, session_id)

    await removed_once(request, caller, parts, form, work)
    return RedirectResponse("/account", 303)


async def account_shown(
    parts: Parts,
    caller: SignedIn,
    *,
    cursor: str | None = None,
    changed: str | None = None,
    refusal: str = "",
    factor_refusal: str = "",
    factor_refused: str = "",
) -> dict[str, Any]:
    """Return what the page of an account shows, and why which form of it was refused."""
    return {
        "sign_ins": await parts.own_sign_ins.page(caller.user.id, _SIGN_INS, cursor),
        "by_password": await parts.password_sign_ins.are_taken_from(caller.user),
        "factor": await parts.second_factors.standing(caller.user),
        "factor_required": parts.password_sign_ins.factor_required,
        "changed": changed,
        "refusal": refusal,
        "factor_refusal": factor_refusal,
        "factor_refused": factor_refused,
        "form": new_token(),
    }
