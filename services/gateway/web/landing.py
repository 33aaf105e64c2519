"""The first page."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.gateway.dependencies import PartsDep
from services.gateway.web.pages import PagesDep
from services.gateway.web.routing import pages_router
from services.gateway.web.visitors import VisitorDep

router = pages_router()


@router.get("/")
async def page_landing(
    request: Request, pages: PagesDep, parts: PartsDep, visitor: VisitorDep
) -> HTMLResponse:
    """Say what this is, and where to begin."""
    values = {"registration_open": parts.registration_open}
    return pages.show(request, "landing.html", values, caller=visitor)
