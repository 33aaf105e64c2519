"""The second step of a sign-in: a code, or a second factor that has to be set up first."""

import contextlib
from typing import Annotated

from fastapi import Cookie, Form, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from services.gateway import errors
from services.gateway.dependencies import AddressQuota, Begun, OriginDep, PartsDep, PresentedDep
from services.gateway.identity import Caller, TokenPair
from services.gateway.parts import Parts
from services.gateway.records import now
from services.gateway.routes.second_factors import Confirmation
from services.gateway.web.arrivals import STEP_COOKIE, forget_ticket, give_session, signed_in
from services.gateway.web.pages import Pages, PagesDep
from services.gateway.web.qr_codes import qr_code
from services.gateway.web.refusal import Fields, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sign_in_form import HOME, OnwardField, sign_in_form

router = pages_router()

_SET_UP = {"action": "/sign-in/set-up/confirm", "again": "/sign-in/set-up"}
_AGAIN = (
    ValidationError,
    errors.CodeRefusedError,
    errors.TooManyAttemptsError,
    errors.UnavailableError,
)
_OVER = (errors.UnauthenticatedError, errors.ForbiddenError, errors.ConflictError)
_FIELDS: Fields = {errors.CodeRefusedError: "code"}

_Ticket = Annotated[str, Cookie(alias=STEP_COOKIE, max_length=256)]
_Field = Annotated[str, Form()]


@router.post("/sign-in/code", dependencies=[AddressQuota, Begun])
async def page_sign_in_code(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    origin: OriginDep,
    presented: PresentedDep,
    ticket: _Ticket = "",
    code: _Field = "",
    onward: OnwardField = HOME,
) -> Response:
    """Sign in with a code, after the password."""
    try:
        shown = Confirmation(code=code)
        pair = await parts.password_sign_ins.finish(ticket, shown.code, origin)
    except _AGAIN as error:
        refusal = Refusal.of(error, _FIELDS)
        values = {"refusal": refusal.sentence, "onward": onward}
        return pages.refuse(request, "sign_in_code.html", values, refusal)
    except _OVER as error:
        return _from_the_beginning(request, pages, parts, error, onward)
    answer = await signed_in(parts, pair, presented, onward)
    forget_ticket(answer)
    return answer


@router.post("/sign-in/set-up", dependencies=[AddressQuota, Begun])
async def page_begin_set_up(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    ticket: _Ticket = "",
    onward: OnwardField = HOME,
) -> Response:
    """Show a new secret, this once, to somebody who may not sign in without a second factor."""
    try:
        made = await parts.password_sign_ins.begin_set_up(ticket)
    except _OVER as error:
        return _from_the_beginning(request, pages, parts, error, onward)
    picture = await qr_code(made.address)
    values = {"refusal": "", "onward": onward, "made": made, "picture": picture}
    return pages.show(request, "second_factor.html", values | _SET_UP)


@router.post("/sign-in/set-up/confirm", dependencies=[AddressQuota, Begun])
async def page_confirm_set_up(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    origin: OriginDep,
    presented: PresentedDep,
    ticket: _Ticket = "",
    code: _Field = "",
    onward: OnwardField = HOME,
) -> Response:
    """Put it in force, sign in, and show the recovery codes, this once."""
    try:
        shown = Confirmation(code=code)
        pair, codes = await parts.password_sign_ins.finish_set_up(ticket, shown.code, origin)
    except _AGAIN as error:
        refusal = Refusal.of(error, _FIELDS)
        values = {"refusal": refusal.sentence, "onward": onward, "made": None, "picture": None}
        return pages.refuse(request, "second_factor.html", values | _SET_UP, refusal)
    except _OVER as error:
        return _from_the_beginning(request, pages, parts, error, onward)
    fresh = {"codes": codes, "made_at": now(), "onward": onward}
    answer = pages.show(request, "recovery_codes.html", fresh, caller=await _new(parts, pair))
    await give_session(answer, parts, pair, presented)
    forget_ticket(answer)
    return answer


async def _new(parts: Parts, pair: TokenPair) -> Caller | None:
    """Return who has just signed in; nobody in trouble, for their codes are shown only once."""
    with contextlib.suppress(errors.GatewayError, SQLAlchemyError, OSError):
        return await parts.access.identify(pair.access_token)
    return None


def _from_the_beginning(
    request: Request, pages: Pages, parts: Parts, error: errors.GatewayError, onward: str
) -> HTMLResponse:
    refusal = Refusal.of(error)
    form = sign_in_form(request, parts, refusal=refusal.sentence, onward=onward)
    return pages.refuse(request, "sign_in.html", form, refusal)
