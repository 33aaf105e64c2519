"""How the installation is, for administrators."""

from dataclasses import asdict
from datetime import datetime
from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway.dependencies import AdminDep, PartsDep
from services.gateway.problems import documented
from services.gateway.system import State

router = APIRouter(tags=["operations"])


class LineView(BaseModel):
    """Analyses without an answer yet: of the organisation where it shares, else one's own."""

    queued: int = Field(examples=[12])
    running: int = Field(examples=[2])
    oldest_at: datetime | None = Field(description="When the first of them was sent.")


class SystemView(BaseModel):
    """How the gateway that answered, and what lies behind it, are now."""

    version: str = Field(description="Of dermserve.", examples=["0.1.0"])
    started_at: datetime = Field(description="When the process that answered did.")
    database: str = Field(examples=["postgresql"])
    checks: dict[str, str] = Field(
        description="`ok`, or what is wrong, as in `/readyz`.",
        examples=[{"database": "ok", "pictures": "ok", "inference": "ok", "reports": "ok"}],
    )
    line: LineView

    @classmethod
    def of(cls, state: State) -> Self:
        """Show a state."""
        return cls.model_validate(asdict(state))


@router.get("/v1/system", responses=documented(401, 403))
async def system(admin: AdminDep, parts: PartsDep) -> SystemView:
    """Show version, health and waiting work. `GET /v1/models` has the models that answer."""
    return SystemView.of(await parts.system.state(admin.scope))
