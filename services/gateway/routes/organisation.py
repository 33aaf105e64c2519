"""The caller's organisation."""

from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway.dependencies import CallerDep
from services.gateway.problems import documented
from services.gateway.records import Organisation

router = APIRouter(tags=["users"])


class OrganisationView(BaseModel):
    """Those who work together."""

    id: str
    name: str
    shared: bool = Field(
        description="Whether its users see each other's records, or only their own."
    )
    created_at: datetime

    @classmethod
    def of(cls, organisation: Organisation) -> Self:
        """Show an organisation."""
        return cls.model_validate(organisation.model_dump())


@router.get("/v1/organisation", responses=documented(401))
async def organisation(caller: CallerDep) -> OrganisationView:
    """Show the organisation that the caller belongs to. The command line makes and changes them."""
    return OrganisationView.of(caller.user.organisation)
