"""Signing in at the identity provider of a hospital."""

from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from services.gateway import errors, reading, tolls
from services.gateway.dependencies import AddressQuota, PartsDep
from services.gateway.identity import VouchedSignIns
from services.gateway.problems import documented
from services.gateway.provider import Answer, Transaction
from services.gateway.provider.transaction import LIFETIME_S
from services.gateway.routes.account_shapes import Tokens

router = APIRouter(tags=["accounts"])

# To whom they go, and that no other host wrote them, is in the prefix. On the way back from the
# provider, which is another site, Lax ones are sent and Strict ones are not.
TRANSACTION_COOKIE = "__Host-dermserve-oidc"
TICKET_COOKIE = "__Host-dermserve-vouched"
_TICKET_S = 60

LONGEST_RETURN = 512
"""How long the path may be to which a browser goes in the end; it waits in a cookie meanwhile."""

CALLBACK = "/v1/auth/oidc/callback"
"""Where browsers come back to from the provider."""

NO_PROVIDER = "There is no identity provider here. Sign in with a password."

_Text = Annotated[str | None, Query(max_length=4096, description="As the provider has it.")]


async def _vouched(parts: PartsDep) -> VouchedSignIns:
    if parts.vouched_sign_ins is None:
        raise errors.NotFoundError(NO_PROVIDER)
    return parts.vouched_sign_ins


VouchedDep = Annotated[VouchedSignIns, Depends(_vouched)]


class Vouched(BaseModel):
    """Somebody is known; their tokens wait for them."""

    next: str = "POST /v1/auth/oidc/token"


@router.get(
    "/v1/auth/oidc",
    dependencies=[AddressQuota],
    status_code=302,
    response_class=RedirectResponse,
    responses=documented(404, 422, 429, 502),
)
async def begin_oidc(
    vouched: VouchedDep,
    return_to: Annotated[
        str,
        Query(
            max_length=LONGEST_RETURN,
            # A path of ours: two slashes, or one and a backslash, would be another host.
            pattern=r"^(/([^/\\\x00-\x20\x7f-\U0010ffff][!-\[\]-~]*)?)?$",
            description="Path of the gateway to go to in the end.",
        ),
    ] = "",
) -> Response:
    """Go to the identity provider to sign in there. For browsers.

    In the end the browser is at `return_to`, or at an answer that says so, and fetches its tokens
    at `POST /v1/auth/oidc/token`.
    """
    transaction = Transaction.begin(return_to)
    answer = RedirectResponse(await vouched.address(transaction), 302)
    _set(answer, TRANSACTION_COOKIE, transaction.cookie, LIFETIME_S)
    return answer


@router.get(
    CALLBACK,
    dependencies=[AddressQuota],
    responses={
        303: {"description": "On to `return_to`."},
        **documented(401, 403, 404, 422, 429, 502),
    },
    # Providers may add what nobody here knows (RFC 6749, section 4.1.2).
    openapi_extra=reading.TOLERANT,
)
async def finish_oidc(
    vouched: VouchedDep,
    response: Response,
    state: _Text = None,
    code: _Text = None,
    iss: _Text = None,
    error: _Text = None,
    carried: Annotated[
        str | None,
        Cookie(alias=TRANSACTION_COOKIE, max_length=1024, description="Of `GET /v1/auth/oidc`."),
    ] = None,
) -> Vouched:
    """Come back from the identity provider. No token is ever in an address."""
    transaction = Transaction.read(carried or "")
    ticket = await vouched.admit(transaction, Answer(state, code, iss, error))
    if transaction is not None and transaction.return_to:
        response.status_code = 303
        response.headers["Location"] = transaction.return_to
    _set(response, TICKET_COOKIE, ticket, _TICKET_S)
    _set(response, TRANSACTION_COOKIE, "", 0)
    return Vouched()


async def _by_ticket(request: Request, parts: PartsDep) -> None:
    # Who has none has not signed in, and keeps nobody with their address from it.
    shown = request.cookies.get(TICKET_COOKIE)
    quota = parts.address_quota if shown else parts.bad_token_quota
    await tolls.take(request, quota, tolls.address(request))


@router.post(
    "/v1/auth/oidc/token",
    dependencies=[Depends(_by_ticket)],
    responses=documented(401, 403, 404, 422, 429),
)
async def oidc_tokens(
    vouched: VouchedDep,
    response: Response,
    ticket: Annotated[
        str, Cookie(alias=TICKET_COOKIE, max_length=256, description="Of the way back.")
    ] = "",
) -> Tokens:
    """Fetch the tokens after a sign-in at the identity provider, once and within a minute.

    The cookie that the browser was given there is all that it takes.
    """
    pair = await vouched.redeem(ticket)
    _set(response, TICKET_COOKIE, "", 0)
    return Tokens.of(pair)


@router.post(
    "/v1/auth/oidc/logout",
    operation_id="oidc_logout",  # its form is named after it
    dependencies=[AddressQuota],
    response_class=Response,
    responses=documented(400, 404, 413, 422, 429, 502),
    openapi_extra=reading.TOLERANT,
)
async def oidc_logout(
    vouched: VouchedDep,
    logout_token: Annotated[
        str, Form(min_length=1, max_length=16_384, examples=["eyJhbGciOiJSUzI1NiJ9.e30.c2ln"])
    ],
) -> Response:
    """End sign-ins because a session ended at the identity provider. For the provider.

    This is OpenID Connect Back-Channel Logout 1.0.
    """
    await vouched.end(logout_token)
    return Response(status_code=200)


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    """Give a cookie to a browser for some seconds; none takes it away."""
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax"
    )
