"""What a browser is given when somebody signs in: a session, or a ticket for the second step."""

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from services.gateway import errors
from services.gateway.dependencies import DEVICE_COOKIE, SESSION_COOKIE
from services.gateway.identity import Session, TokenPair, Unfinished
from services.gateway.identity.attempts import FAMILIAR
from services.gateway.identity.sign_in_tickets import LIFETIME
from services.gateway.parts import Parts
from services.gateway.web.pages import Pages
from services.gateway.web.refusal import Refusal

STEP_COOKIE = "__Host-dermserve-sign-in"
"""What the second step of a sign-in is done with; it signs nobody in by itself."""


async def signed_in(
    parts: Parts, pair: TokenPair, presented: str | None, onward: str
) -> RedirectResponse:
    """Go on with a session."""
    answer = RedirectResponse(onward, 303)
    await give_session(answer, parts, pair, presented)
    return answer


async def give_session(
    answer: Response, parts: Parts, pair: TokenPair, presented: str | None
) -> None:
    """Give a cookie that lasts until the browser is closed, if the sign-in lasts so long.

    Whoever was signed in in the browser before is not any more.
    """
    former = presented if isinstance(presented, Session) else None
    secret = await parts.sign_ins.into_session(pair, former)
    answer.set_cookie(SESSION_COOKIE, secret, secure=True, httponly=True, samesite="lax")
    if pair.device is not None:
        answer.set_cookie(
            DEVICE_COOKIE,
            pair.device,
            max_age=round(FAMILIAR.total_seconds()),
            secure=True,
            httponly=True,
            samesite="strict",
        )


def second_step(
    request: Request, pages: Pages, begun: Unfinished, onward: str, *, made: bool = False
) -> HTMLResponse:
    """Show what is still asked for; the password is not on that page, and nobody is signed in.

    Args:
        request: that did the first step.
        pages: has the next one.
        begun: what was begun, and what it lacks.
        onward: where it leads in the end.
        made: whether something else was done that was asked for, as an account made.

    """
    missing = isinstance(begun.lacks, errors.SecondFactorMissingError)
    name = "sign_in_set_up.html" if missing else "sign_in_code.html"
    values = {"refusal": "", "onward": onward}
    if made:
        page = pages.show(request, name, values)
    else:
        page = pages.refuse(request, name, values, Refusal.of(begun.lacks))
    page.set_cookie(
        STEP_COOKIE,
        begun.ticket,
        max_age=round(LIFETIME.total_seconds()),
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return page


def forget_ticket(answer: Response) -> None:
    """Take a ticket away that was used."""
    answer.delete_cookie(STEP_COOKIE, secure=True, httponly=True, samesite="strict")
