"""Signing up, in and out, for browsers."""

import contextlib
from typing import Annotated, Literal

from fastapi import Cookie, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.gateway import audit, errors
from services.gateway.dependencies import (
    SESSION_COOKIE,
    AddressQuota,
    Begun,
    OriginDep,
    PartsDep,
    PresentedDep,
    identify,
)
from services.gateway.identity import Caller, Permission, Unfinished
from services.gateway.identity.access import in_sign_in
from services.gateway.identity.accounts import REGISTRATION_CLOSED
from services.gateway.routes.account_shapes import Registration
from services.gateway.routes.oidc import NO_PROVIDER, TICKET_COOKIE
from services.gateway.web.arrivals import second_step, signed_in
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Fields, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sign_in_form import HOME, Onward, OnwardField, sign_in_form
from services.gateway.web.visitors import VisitorDep

router = pages_router()

_REFUSED = (
    errors.UnauthenticatedError,
    errors.ForbiddenError,
    errors.TooManyAttemptsError,
    errors.UnavailableError,
)
_NOT_MADE = (
    ValidationError,
    errors.InvalidRequestError,
    errors.ConflictError,
    errors.UnavailableError,
)

_AT_SIGN_IN: Fields = {errors.UnauthenticatedError: "password"}
_AT_SIGN_UP: Fields = {
    errors.UnfitPasswordError: "password",
    errors.InvalidRequestError: "username",
    errors.ConflictError: "username",
}

_Field = Annotated[str, Form()]


@router.get("/sign-in")
async def page_sign_in(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    visitor: VisitorDep,
    onward: Onward = HOME,
    done: Literal["reset"] | None = None,
) -> Response:
    """Ask for name and password."""
    if visitor is not None:
        return RedirectResponse(_home(visitor) if onward == HOME else onward, 303)
    return pages.show(
        request, "sign_in.html", sign_in_form(request, parts, onward=onward) | {"done": done}
    )


@router.post("/sign-in", dependencies=[AddressQuota, Begun])
async def page_begin_session(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    origin: OriginDep,
    presented: PresentedDep,
    username: _Field = "",
    password: _Field = "",
    onward: OnwardField = HOME,
) -> Response:
    """Sign in, and go on to where one wanted to go."""
    try:
        begun = await parts.password_sign_ins.begin_or_ticket(username, password, origin)
    except _REFUSED as error:
        refusal = Refusal.of(error, _AT_SIGN_IN)
        form = sign_in_form(request, parts, username, refusal.sentence, onward)
        return pages.refuse(request, "sign_in.html", form, refusal)
    if isinstance(begun, Unfinished):
        return second_step(request, pages, begun, onward)
    return await signed_in(parts, begun, presented, onward)


@router.get("/sign-in/vouched", dependencies=[AddressQuota])
async def page_vouched(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    presented: PresentedDep,
    ticket: Annotated[str, Cookie(alias=TICKET_COOKIE, max_length=256)] = "",
    onward: Onward = HOME,
) -> Response:
    """Come back from the identity provider: nobody but whose browser began there has a ticket."""
    if parts.vouched_sign_ins is None:
        raise errors.NotFoundError(NO_PROVIDER)
    try:
        pair = await parts.vouched_sign_ins.redeem(ticket)
    except (errors.UnauthenticatedError, errors.ForbiddenError) as error:
        refusal = Refusal.of(error)
        form = sign_in_form(request, parts, refusal=refusal.sentence, onward=onward)
        return pages.refuse(request, "sign_in.html", form, refusal)
    answer = await signed_in(parts, pair, presented, onward)
    answer.delete_cookie(TICKET_COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


@router.get("/sign-up", dependencies=[AddressQuota])
async def page_sign_up(request: Request, pages: PagesDep, parts: PartsDep) -> HTMLResponse:
    """Ask for a name and a password."""
    if not parts.registration_open:
        raise errors.ForbiddenError(REGISTRATION_CLOSED)
    return pages.show(request, "sign_up.html", sign_in_form(request, parts))


@router.post("/sign-up", dependencies=[AddressQuota, Begun])
async def page_register(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    presented: PresentedDep,
    username: _Field = "",
    password: _Field = "",
) -> Response:
    """Make an account and sign in."""
    if not parts.registration_open:
        raise errors.ForbiddenError(REGISTRATION_CLOSED)
    try:
        new = Registration(username=username, password=password)
        user = await parts.accounts.register(new.username, new.password)
    except _NOT_MADE as error:
        refusal = Refusal.of(error, _AT_SIGN_UP)
        form = sign_in_form(request, parts, username, refusal.sentence)
        return pages.refuse(request, "sign_up.html", form, refusal)
    if parts.password_sign_ins.factor_required:
        begun = await parts.password_sign_ins.ticket_for(user)
        return second_step(request, pages, begun, HOME, made=True)
    pair = await parts.password_sign_ins.begin_for(user)
    return await signed_in(parts, pair, presented, HOME)


@router.post("/sign-out")
async def page_end_session(request: Request, parts: PartsDep, presented: PresentedDep) -> Response:
    """End the sign-in at once, everywhere; a browser whose session has ended forgets it as well."""
    with contextlib.suppress(errors.UnauthenticatedError):
        caller = in_sign_in(await identify(request, parts, presented, though_spent=True))
        await audit.begin(request.scope, audit.noted(), parts.trail)
        await parts.sign_ins.end(caller.sign_in_id)
    # Nothing of a session stays in a browser that others may use next.
    answer = RedirectResponse("/", 303, {"Clear-Site-Data": '"cache", "storage"'})
    answer.delete_cookie(SESSION_COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


def _home(caller: Caller) -> str:
    return "/analyze" if caller.may(Permission.WRITE) else "/analyses"
