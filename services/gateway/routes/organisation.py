"""The caller's organisation."""

from fastapi import APIRouter

from services.gateway.dependencies import CallerDep
from services.gateway.problems import documented
from services.gateway.routes.shapes import OrganisationView

router = APIRouter(tags=["users"])


@router.get("/v1/organisation", responses=documented(401))
async def organisation(caller: CallerDep) -> OrganisationView:
    """Show the organisation that the caller belongs to. The command line makes and changes them."""
    return OrganisationView.of(caller.user.organisation)
