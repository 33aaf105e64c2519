"""Forgotten passwords."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.dependencies import AddressQuota, AdminDep, Begun, PartsDep
from services.gateway.problems import documented
from services.gateway.routes.account_shapes import NewPassword

router = APIRouter()

_CODE = "Yk3vQm0Zr8sT1uLw6xNc4bHd9eJf2gKp7aRi5oVt0sM"


class ResetCode(BaseModel):
    """What somebody chooses a new password with."""

    code: str = Field(
        description="Hand it to nobody but the user. It is shown only this once.",
        examples=[_CODE],
    )
    expires_at: datetime


class PasswordReset(BaseModel):
    """A new password, and the code that an administrator has handed over."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=256, examples=[_CODE])
    new_password: NewPassword


@router.put(
    "/v1/users/{user_id}/password-reset",
    tags=["users"],
    responses=documented(401, 403, 404, 409),
)
async def issue_password_reset(user_id: str, admin: AdminDep, parts: PartsDep) -> ResetCode:
    """Let a user who has forgotten their password choose another one.

    The code is good once, for an hour; the one before it is good no more. Until it is used the
    password stays what it is. Make sure that it is they who ask. A user who is disabled is given
    none (409), nor is one who signs in at the identity provider.
    """
    user = await parts.accounts.get(admin.scope, user_id)
    code = await parts.password_resets.issue(user, by=admin.user)
    return ResetCode(code=code.code, expires_at=code.expires_at)


@router.post(
    "/v1/auth/password-reset",
    tags=["accounts"],
    status_code=204,
    responses=documented(401, 413, 422),
    dependencies=[AddressQuota, Begun],
)
async def reset_password(reset: PasswordReset, parts: PartsDep) -> None:
    """Choose a new password with a code. All sign-ins end at once."""
    await parts.password_resets.redeem(reset.code, reset.new_password)
