"""What all routes of pages have in common: they are ours alone to ask for changes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from services.gateway import errors
from services.gateway.cross_origin import is_ours
from services.gateway.dependencies import PAGE_OF


def pages_router() -> APIRouter:
    """Return a router for pages: they are not in the API's document, and no other site's."""
    return APIRouter(
        include_in_schema=False,
        default_response_class=HTMLResponse,
        dependencies=[Depends(_from_our_pages)],
    )


async def _from_our_pages(
    request: Request, _: Annotated[str | None, Query(alias=PAGE_OF, max_length=32)] = None
) -> None:
    """Refuse forms of other sites, also those that bring no cookie: they would sign in others.

    Whose form of ours it is, they say themselves; it is held against who is calling.

    Raises:
        CrossOriginError: a browser says that it is one.

    """
    if request.method not in {"GET", "HEAD"} and not is_ours(request.headers):
        raise errors.CrossOriginError(
            "A page of another site sent this form. Open the page here and send it again."
        )
