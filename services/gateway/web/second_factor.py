"""One's own second factor, under one's account."""

from typing import Annotated

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import PartsDep, SignedInDep
from services.gateway.identity import SignedIn
from services.gateway.parts import Parts
from services.gateway.records import now
from services.gateway.routes.second_factors import Both, Confirmation, CurrentPassword
from services.gateway.web.account import account_shown
from services.gateway.web.pages import Pages, PagesDep
from services.gateway.web.qr_codes import qr_code
from services.gateway.web.refusal import Fields, Refusal
from services.gateway.web.routing import pages_router

router = pages_router()

_HOME = "/account"
_AGAIN = (
    ValidationError,
    errors.ForbiddenError,
    errors.TooManyAttemptsError,
    errors.UnavailableError,
)
_REFUSED = (*_AGAIN, errors.ConflictError)
_FIELDS: Fields = {errors.WrongPasswordError: "current_password", errors.WrongCodeError: "code"}
_Field = Annotated[str, Form()]


@router.post("/account/second-factor")
async def page_begin_second_factor(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: SignedInDep,
    current_password: _Field = "",
) -> HTMLResponse:
    """Show a new secret, this once."""
    try:
        shown = CurrentPassword(current_password=current_password)
        made = await parts.second_factors.begin(
            caller.user, caller.sign_in_id, shown.current_password
        )
    except _REFUSED as error:
        return await _refused(request, pages, parts, caller, error)
    values = {"refusal": "", "made": made, "picture": await qr_code(made.address)}
    return pages.show(request, "second_factor.html", values | _leading(caller), caller=caller)


@router.post("/account/second-factor/confirm")
async def page_confirm_second_factor(
    request: Request, pages: PagesDep, parts: PartsDep, caller: SignedInDep, code: _Field = ""
) -> HTMLResponse:
    """Put it in force, and show the recovery codes, this once."""
    try:
        shown = Confirmation(code=code)
        codes = await parts.second_factors.confirm(caller.user, caller.sign_in_id, shown.code)
    except errors.ConflictError as error:
        return await _refused(request, pages, parts, caller, error)
    except _AGAIN as error:
        refusal = Refusal.of(error, _FIELDS)
        values = {"refusal": refusal.sentence, "made": None, "picture": None}
        values |= _leading(caller)
        return pages.refuse(request, "second_factor.html", values, refusal, caller=caller)
    return _codes(request, pages, caller, codes)


@router.post("/account/second-factor/remove")
async def page_remove_own_second_factor(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: SignedInDep,
    current_password: _Field = "",
    code: _Field = "",
) -> Response:
    """Remove it; all other sign-ins end."""
    try:
        shown = Both(current_password=current_password, code=code)
        await parts.second_factors.remove(
            caller.user, caller.sign_in_id, shown.current_password, shown.code
        )
    except _REFUSED as error:
        return await _refused(request, pages, parts, caller, error, "remove")
    return RedirectResponse(f"{_HOME}?changed=second-factor", 303)


@router.post("/account/second-factor/recovery-codes")
async def page_renew_recovery_codes(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: SignedInDep,
    current_password: _Field = "",
    code: _Field = "",
) -> HTMLResponse:
    """Make new recovery codes and show them, this once."""
    try:
        shown = Both(current_password=current_password, code=code)
        codes = await parts.second_factors.renew_recovery_codes(
            caller.user, caller.sign_in_id, shown.current_password, shown.code
        )
    except _REFUSED as error:
        return await _refused(request, pages, parts, caller, error, "recovery-codes")
    return _codes(request, pages, caller, codes)


def _leading(caller: SignedIn) -> dict[str, str]:
    """Return where the forms of the page with the secret lead."""
    of = f"page_of={caller.user.id}"
    return {
        "action": f"{_HOME}/second-factor/confirm?{of}",
        "again": "",
        "onward": _HOME,
    }


def _codes(request: Request, pages: Pages, caller: SignedIn, codes: list[str]) -> HTMLResponse:
    values = {"codes": codes, "made_at": now(), "onward": _HOME}
    return pages.show(request, "recovery_codes.html", values, caller=caller)


async def _refused(
    request: Request,
    pages: Pages,
    parts: Parts,
    caller: SignedIn,
    error: errors.GatewayError | ValidationError,
    form: str = "",
) -> HTMLResponse:
    refusal = Refusal.of(error, _FIELDS)
    sentence = refusal.sentence
    shown = await account_shown(parts, caller, factor_refusal=sentence, factor_refused=form)
    return pages.refuse(request, "account.html", shown, refusal, caller=caller)
