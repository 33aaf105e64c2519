"""The page that an installed app shows where there is no connection."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.gateway.dependencies import AddressQuota
from services.gateway.web.pages import PagesDep
from services.gateway.web.routing import pages_router

router = pages_router()


@router.get("/offline", dependencies=[AddressQuota])
async def page_offline(request: Request, pages: PagesDep) -> HTMLResponse:
    """Say that there is no connection; it is kept in browsers, so it knows nobody."""
    return pages.show(request, "offline.html", {})
