"""How the installation is, which models answer, and what each role may do."""

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from services.gateway import errors
from services.gateway.dependencies import AdminDep, AnalysisDeadlineDep, PartsDep
from services.gateway.identity.permissions import ALLOWED, MEANING
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router

router = pages_router()


@router.get("/admin")
async def page_administration(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    deadline: AnalysisDeadlineDep,
) -> HTMLResponse:
    """Show an overview; what is down does not keep the rest from being shown."""
    shown: dict[str, Any] = {
        "state": await parts.system.state(caller.scope),
        "kept": await parts.storage_quotas.accounts(caller.scope),
        "allowed": ALLOWED,
        "meaning": MEANING,
        "models": [],
        "no_models": "",
    }
    try:
        shown["models"] = await parts.inference.models(deadline)
    except errors.GatewayError as error:
        shown["no_models"] = Refusal.of(error).sentence
    return pages.show(request, "administration.html", shown, caller=caller)
