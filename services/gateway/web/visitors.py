"""Who looks at a page that is for everybody."""

from contextlib import suppress
from typing import Annotated

from fastapi import Depends, Request

from services.gateway import errors, tolls
from services.gateway.dependencies import PartsDep, PresentedDep, take_for_token
from services.gateway.identity import Caller


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
