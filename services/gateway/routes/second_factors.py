"""The second factor of one's own account, and that of a user who has lost it."""

from datetime import datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.dependencies import AdminDep, PartsDep, SignedInDep
from services.gateway.problems import documented
from services.gateway.routes.account_shapes import Code
from services.gateway.security import passwords

router = APIRouter()

_RECOVERY_CODE = "mzxw-6ytb-oi4d-gnrv-pjqw-ezlt"


class SecondFactorView(BaseModel):
    """Whether one has a second factor."""

    in_force: bool
    since: datetime | None
    recovery_codes_left: int = Field(examples=[10])
    policy: Literal["optional", "required"] = Field(
        description="Whether sign-ins by password need one here."
    )


class CurrentPassword(BaseModel):
    """What shows that it is oneself who asks."""

    model_config = ConfigDict(extra="forbid")

    # No password is shorter, and such a try is none.
    current_password: str = Field(min_length=passwords.MIN_LENGTH, max_length=passwords.MAX_LENGTH)


class Both(CurrentPassword):
    """The password and a code."""

    code: Code


class Confirmation(BaseModel):
    """What shows that the app has the secret."""

    model_config = ConfigDict(extra="forbid")

    code: Code


class NewSecondFactor(BaseModel):
    """What an app is told. It is shown only this once."""

    secret: str = Field(
        description="For apps that read no QR codes; base32.",
        examples=["JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
    )
    otpauth_uri: str = Field(
        description="The same as a QR code has it: SHA-1, six digits, thirty seconds.",
        examples=["otpauth://totp/dermserve:dr.example?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"],
    )


class RecoveryCodes(BaseModel):
    """Codes for who has lost the telephone, each good once. They are shown only this once."""

    recovery_codes: list[str] = Field(examples=[[_RECOVERY_CODE]])


@router.get("/v1/me/second-factor", tags=["accounts"], responses=documented(401, 403))
async def second_factor(caller: SignedInDep, parts: PartsDep) -> SecondFactorView:
    """Say whether one has a second factor, and how many recovery codes are left."""
    standing = await parts.second_factors.standing(caller.user)
    return SecondFactorView(
        in_force=standing.since is not None,
        since=standing.since,
        recovery_codes_left=standing.recovery_codes,
        policy="required" if parts.password_sign_ins.factor_required else "optional",
    )


@router.put(
    "/v1/me/second-factor",
    tags=["accounts"],
    responses=documented(401, 403, 409, 413, 422),
)
async def begin_second_factor(
    shown: CurrentPassword, caller: SignedInDep, parts: PartsDep
) -> NewSecondFactor:
    """Begin to set up a second factor: an app that makes codes (TOTP, RFC 6238).

    It is not in force until a code confirms it, within a quarter of an hour. To begin anew makes
    another secret.
    """
    made = await parts.second_factors.begin(caller.user, caller.sign_in_id, shown.current_password)
    return NewSecondFactor(secret=made.secret, otpauth_uri=made.address)


@router.post(
    "/v1/me/second-factor/confirmation",
    tags=["accounts"],
    responses=documented(401, 403, 409, 413, 422),
)
async def confirm_second_factor(
    shown: Confirmation, caller: SignedInDep, parts: PartsDep
) -> RecoveryCodes:
    """Put it in force with a code of the app. All other sign-ins of the caller end at once."""
    codes = await parts.second_factors.confirm(caller.user, caller.sign_in_id, shown.code)
    return RecoveryCodes(recovery_codes=codes)


@router.post(
    "/v1/me/second-factor/removal",
    tags=["accounts"],
    status_code=204,
    responses=documented(401, 403, 409, 413, 422),
)
async def remove_own_second_factor(shown: Both, caller: SignedInDep, parts: PartsDep) -> None:
    """Remove one's second factor. All other sign-ins of the caller end at once."""
    await parts.second_factors.remove(
        caller.user, caller.sign_in_id, shown.current_password, shown.code
    )


@router.put(
    "/v1/me/second-factor/recovery-codes",
    tags=["accounts"],
    responses=documented(401, 403, 409, 413, 422),
)
async def renew_recovery_codes(shown: Both, caller: SignedInDep, parts: PartsDep) -> RecoveryCodes:
    """Make ten new recovery codes; those before are good no more."""
    codes = await parts.second_factors.renew_recovery_codes(
        caller.user, caller.sign_in_id, shown.current_password, shown.code
    )
    return RecoveryCodes(recovery_codes=codes)


@router.delete(
    "/v1/users/{user_id}/second-factor",
    tags=["users"],
    status_code=204,
    responses=documented(401, 403, 404, 409),
)
async def remove_second_factor(user_id: str, admin: AdminDep, parts: PartsDep) -> None:
    """Remove the second factor of a user who has lost telephone and recovery codes.

    All their sign-ins end at once. Make sure that it is they who ask.
    """
    user = await parts.accounts.get(admin.scope, user_id)
    await parts.second_factors.remove_for(user, by=admin.user)
