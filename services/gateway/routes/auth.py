"""Accounts of one's own, and tokens."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import TypeAdapter, ValidationError

from services.gateway import errors, reading
from services.gateway.dependencies import (
    DEVICE_COOKIE,
    AddressQuota,
    Begun,
    CallerDep,
    OriginDep,
    PartsDep,
    PresentedDep,
    SignedInDep,
    identify,
    take_for_token,
)
from services.gateway.identity.accounts import REGISTRATION_CLOSED
from services.gateway.identity.attempts import FAMILIAR
from services.gateway.problems import documented
from services.gateway.routes.account_shapes import (
    KeySet,
    PasswordChange,
    PasswordGrant,
    RefreshRequest,
    Registration,
    Tokens,
    UserView,
)

router = APIRouter(tags=["accounts"])

_AT_THE_PAGE = (
    "A second factor is required here. Make the account with a browser, at /sign-up: "
    "it is set up there."
)

_ANY: TypeAdapter[RefreshRequest | None] = TypeAdapter(RefreshRequest | None)


async def _refresh_token(request: Request) -> str | None:
    """Return the refresh token that a body has; an empty one if it has none, None for no body."""
    try:
        shown = _ANY.validate_json(await request.body() or b"null")
    except ValidationError:
        return ""
    return None if shown is None else shown.refresh_token


async def _by_refresh_token(request: Request, parts: PartsDep) -> None:
    holder = await parts.sign_ins.holder(await _refresh_token(request) or "")
    await take_for_token(request, parts, holder)


async def _by_either_token(request: Request, parts: PartsDep, presented: PresentedDep) -> None:
    shown = await _refresh_token(request)
    if shown is None:
        await identify(request, parts, presented, though_spent=True)
    else:
        holder = await parts.sign_ins.holder(shown)
        await take_for_token(request, parts, holder, though_spent=True)


@router.post(
    "/v1/auth/register",
    status_code=201,
    responses=documented(403, 409, 413, 422, 429),
    dependencies=[AddressQuota, Begun],
)
async def register(new: Registration, parts: PartsDep) -> Tokens:
    """Make an account and sign in."""
    if not parts.registration_open:
        raise errors.ForbiddenError(REGISTRATION_CLOSED)
    if parts.password_sign_ins.factor_required:
        raise errors.SecondFactorMissingError(_AT_THE_PAGE)
    user = await parts.accounts.register(new.username, new.password)
    return Tokens.of(await parts.password_sign_ins.begin_for(user))


@router.post(
    "/v1/auth/token", responses=documented(401, 403, 413, 422), dependencies=[AddressQuota]
)
async def sign_in(
    form: Annotated[PasswordGrant, Form()],
    parts: PartsDep,
    origin: OriginDep,
    response: Response,
) -> Tokens:
    """Sign in with username and password (the password grant of OAuth 2).

    After ten wrong passwords from one network, each further try has to wait as long as
    `Retry-After` says. The cookie that comes with the tokens keeps the device that sends it apart
    from others' tries; it signs nobody in.

    Where the account has a second factor, the right password alone is answered with the problem
    `second-factor-needed`; send the same again with `code`. Wrong codes count as wrong passwords.
    """
    pair = await parts.password_sign_ins.begin(
        form.username, form.password, origin, form.code or None
    )
    response.set_cookie(
        DEVICE_COOKIE,
        pair.device or "",
        max_age=round(FAMILIAR.total_seconds()),
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return Tokens.of(pair)


@router.post(
    "/v1/auth/refresh",
    responses=documented(401, 413, 422),
    dependencies=[Depends(_by_refresh_token)],
)
async def refresh(request: RefreshRequest, parts: PartsDep) -> Tokens:
    """Exchange a refresh token for a new pair.

    A refresh token is good for one use. When it comes again, the whole sign-in ends, except
    within ten seconds and while the pair that it was exchanged for has not been refreshed:
    then that pair's refresh token dies instead, so that a lost answer locks nobody out.
    """
    return Tokens.of(await parts.sign_ins.refresh(request.refresh_token))


@router.post(
    "/v1/auth/logout",
    status_code=204,
    responses=documented(401, 403, 413, 422),
    dependencies=[Depends(_by_either_token), Begun],
)
async def sign_out(
    parts: PartsDep, presented: PresentedDep, request: RefreshRequest | None = None
) -> None:
    """End a sign-in at once: that of the refresh token in the body, else that of the caller.

    A quota that is spent, maybe by somebody with a stolen token, keeps nobody from it.
    """
    if request is not None:
        await parts.sign_ins.end_by(request.refresh_token)
        return
    caller = await parts.access.signed_in(presented)
    await parts.sign_ins.end(caller.sign_in_id)


@router.get("/v1/me", responses=documented(401))
async def me(caller: CallerDep) -> UserView:
    """Say who the caller is."""
    return UserView.of(caller.user)


@router.put("/v1/me/password", status_code=204, responses=documented(401, 403, 413, 422))
async def change_password(change: PasswordChange, caller: SignedInDep, parts: PartsDep) -> None:
    """Change one's own password. All other sign-ins of the caller end at once."""
    await parts.passwords.change(
        caller.user, caller.sign_in_id, change.current_password, change.new_password
    )


@router.get("/.well-known/jwks.json", openapi_extra=reading.TOLERANT)
async def public_keys(parts: PartsDep) -> KeySet:
    """Give the public keys that access tokens are signed with (RFC 7517).

    The newest stands first; those before it are believed for 16 minutes more. Who meets a token
    with a `kid` that they do not know asks here again.
    """
    return KeySet(keys=await parts.keys.jwks())
