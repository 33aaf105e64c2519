"""Signing up, in and out, for browsers."""

import contextlib
import ipaddress
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import Cookie, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.gateway import audit, errors
from services.gateway.dependencies import (
    DEVICE_COOKIE,
    SESSION_COOKIE,
    AddressQuota,
    Begun,
    OriginDep,
    PartsDep,
    PresentedDep,
    identify,
)
from services.gateway.identity import Caller, Permission, Session, TokenPair
from services.gateway.identity.access import in_sign_in
from services.gateway.identity.accounts import REGISTRATION_CLOSED
from services.gateway.identity.attempts import FAMILIAR
from services.gateway.parts import Parts
from services.gateway.routes.account_shapes import Registration
from services.gateway.routes.oidc import LONGEST_RETURN, NO_PROVIDER, TICKET_COOKIE
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.visitors import VisitorDep

router = pages_router()

HOME = "/sign-in"
"""Where people go who wanted nothing else: who is signed in is led on to what they may do."""

_REFUSED = (errors.UnauthenticatedError, errors.ForbiddenError, errors.TooManyAttemptsError)

# A path of ours: two slashes, or one and a backslash, would be another host.
_PATH = r"^/([^/\\\x00-\x20\x7f-\U0010ffff][!-\[\]-~]*)?$"
_Onward = Annotated[str, Query(alias="next", max_length=2048, pattern=_PATH)]
_OnwardField = Annotated[str, Form(alias="next", max_length=2048, pattern=_PATH)]
_Field = Annotated[str, Form()]


@router.get("/sign-in")
async def page_sign_in(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    visitor: VisitorDep,
    onward: _Onward = HOME,
    done: Literal["reset"] | None = None,
) -> Response:
    """Ask for name and password."""
    if visitor is not None:
        return RedirectResponse(_home(visitor) if onward == HOME else onward, 303)
    return pages.show(
        request, "sign_in.html", _form(request, parts, onward=onward) | {"done": done}
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
    onward: _OnwardField = HOME,
) -> Response:
    """Sign in, and go on to where one wanted to go."""
    try:
        pair = await parts.sign_ins.begin(username, password, origin)
    except _REFUSED as error:
        refusal = Refusal.of(error)
        form = _form(request, parts, username, refusal.sentence, onward)
        return pages.refuse(request, "sign_in.html", form, refusal)
    answer = await _signed_in(parts, pair, presented, onward)
    answer.set_cookie(
        DEVICE_COOKIE,
        pair.device or "",
        max_age=round(FAMILIAR.total_seconds()),
        path="/sign-in",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return answer


@router.get("/sign-in/vouched", dependencies=[AddressQuota])
async def page_vouched(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    presented: PresentedDep,
    ticket: Annotated[str, Cookie(alias=TICKET_COOKIE, max_length=256)] = "",
    onward: _Onward = HOME,
) -> Response:
    """Come back from the identity provider: nobody but whose browser began there has a ticket."""
    if parts.vouched_sign_ins is None:
        raise errors.NotFoundError(NO_PROVIDER)
    try:
        pair = await parts.vouched_sign_ins.redeem(ticket)
    except (errors.UnauthenticatedError, errors.ForbiddenError) as error:
        refusal = Refusal.of(error)
        form = _form(request, parts, refusal=refusal.sentence, onward=onward)
        return pages.refuse(request, "sign_in.html", form, refusal)
    answer = await _signed_in(parts, pair, presented, onward)
    answer.delete_cookie(TICKET_COOKIE, secure=True, httponly=True, samesite="lax")
    return answer


@router.get("/sign-up", dependencies=[AddressQuota])
async def page_sign_up(request: Request, pages: PagesDep, parts: PartsDep) -> HTMLResponse:
    """Ask for a name and a password."""
    if not parts.registration_open:
        raise errors.ForbiddenError(REGISTRATION_CLOSED)
    return pages.show(request, "sign_up.html", _form(request, parts))


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
    except (ValidationError, errors.InvalidRequestError, errors.ConflictError) as error:
        refusal = Refusal.of(error)
        form = _form(request, parts, username, refusal.sentence)
        return pages.refuse(request, "sign_up.html", form, refusal)
    pair = await parts.sign_ins.begin_for(user)
    return await _signed_in(parts, pair, presented, HOME)


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


async def _signed_in(
    parts: Parts, pair: TokenPair, presented: str | None, onward: str
) -> RedirectResponse:
    """Go on with a cookie that lasts until the browser is closed, if the sign-in lasts so long.

    Whoever was signed in in the browser before is not any more.
    """
    former = presented if isinstance(presented, Session) else None
    secret = await parts.sign_ins.into_session(pair, former)
    answer = RedirectResponse(onward, 303)
    answer.set_cookie(SESSION_COOKIE, secret, secure=True, httponly=True, samesite="lax")
    return answer


def _form(
    request: Request, parts: Parts, username: str = "", refusal: str = "", onward: str = HOME
) -> dict[str, Any]:
    """Say how one can sign in or up here, what somebody wrote, and why it was refused."""
    return {
        "onward": onward,
        "done": None,
        "return_to": _return_to(onward),
        "username": username,
        "refusal": refusal,
        "by_password": parts.sign_ins.takes_passwords,
        "by_provider": parts.vouched_sign_ins is not None,
        "registration_open": parts.registration_open,
        "keeps_cookies": request.url.scheme == "https" or _is_this_machine(request.url.hostname),
    }


def _return_to(onward: str) -> str:
    """Return where the provider's way ends: as near to where somebody wanted to go as it can."""
    ways = [
        f"/sign-in/vouched?next={quote(each)}" for each in (onward, onward.partition("?")[0], HOME)
    ]
    return next((each for each in ways if len(each) <= LONGEST_RETURN), ways[-1])


def _is_this_machine(host: str | None) -> bool:
    """Say whether browsers trust a host without TLS (https://www.w3.org/TR/secure-contexts/)."""
    if host == "localhost" or (host or "").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
