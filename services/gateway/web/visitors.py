"""Who looks at a page that is for everybody, or at that of an error."""

from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from services.gateway import audit, errors, tolls
from services.gateway.dependencies import SESSION_COOKIE, PartsDep, PresentedDep, take_for_token
from services.gateway.identity import Caller, Session
from services.gateway.parts import Parts

_LOOK = 1
"""Units of a quota."""


async def _visitor(request: Request, parts: PartsDep, presented: PresentedDep) -> Caller | None:
    """Return who it is; they pay themselves, and leave their address to those who sign in there."""
    visitor = None
    if presented is not None:
        with suppress(errors.UnauthenticatedError):
            visitor = await parts.access.identify(presented)
    if visitor is None:
        await tolls.take(request, parts.address_quota, tolls.address(request))
    else:
        request.state.caller = visitor
        await take_for_token(request, parts, (visitor.key or visitor.user).id)
    return visitor


VisitorDep = Annotated[Caller | None, Depends(_visitor)]
"""Who is signed in; None for everybody else."""


async def onlooker(request: Request) -> Caller | None:
    """Return who is signed in where an error came before anybody looked.

    They pay for it, or who tries sessions does. None also if their quota is spent, or nothing can
    be read: the page is shown all the same.
    """
    session = request.cookies.get(SESSION_COOKIE)
    if session:
        # What the audit has of the request is written already, and is not to change.
        with (
            suppress(errors.GatewayError, SQLAlchemyError, OSError),
            audit.taking(audit.Note()),
        ):
            return await _paying(request, request.app.state.parts, Session(session))
    return None


async def _paying(request: Request, parts: Parts, session: Session) -> Caller | None:
    try:
        caller = await parts.access.identify(session, by_itself=True)
    except errors.EndedError as error:
        await parts.bad_token_quota.take(error.sign_in_id, _LOOK)
        raise
    except errors.UnauthenticatedError:
        await parts.bad_token_quota.take(tolls.address(request), _LOOK)
        raise
    standing = await parts.caller_quota.take(caller.user.id, _LOOK)
    return caller if standing is None or standing.enough else None
