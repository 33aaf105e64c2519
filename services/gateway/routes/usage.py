"""How much is kept, and how much may be."""

from typing import Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.gateway.dependencies import CallerDep, PartsDep
from services.gateway.problems import documented
from services.gateway.storage_quotas import Account

router = APIRouter(tags=["users"])


class AccountView(BaseModel):
    """What is kept for one holder, and the most that may be; null where there is no bound."""

    bytes: int = Field(description="Of pictures, masks and explanations, as they are kept.")
    pictures: int = Field(description="Analyses, each with its picture.")
    max_bytes: int | None
    max_pictures: int | None

    @classmethod
    def of(cls, account: Account) -> Self:
        """Show an account."""
        kept, quota = account.kept, account.quota
        return cls(
            bytes=kept.bytes,
            pictures=kept.pictures,
            max_bytes=quota.bytes,
            max_pictures=quota.pictures,
        )


class UsageView(BaseModel):
    """What is kept for the caller and for their organisation."""

    user: AccountView
    organisation: AccountView | None = Field(
        description="Null where users do not see each other's records, of which it would tell."
    )


@router.get("/v1/usage", responses=documented(401))
async def usage(caller: CallerDep, parts: PartsDep) -> UsageView:
    """Show how much is kept, and how much may be. What was removed counts until it is purged."""
    accounts = await parts.storage_quotas.accounts(caller.scope)
    return UsageView(
        user=AccountView.of(accounts["user"]),
        organisation=AccountView.of(accounts["organisation"]) if caller.scope.shared else None,
    )
