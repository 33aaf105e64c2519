"""What routes ask for: the parts of this process, and who is calling."""

from dataclasses import replace
from typing import Annotated

from fastapi import Cookie, Depends, Header, Query, Request, Security
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, HTTPBearer, OAuth2PasswordBearer, SecurityScopes

from services.gateway import audit, errors, tolls
from services.gateway.deadlines import Deadline
from services.gateway.identity import (
    Caller,
    Origin,
    Permission,
    Session,
    SignedIn,
)
from services.gateway.identity.access import in_sign_in
from services.gateway.identity.permissions import MEANING
from services.gateway.once import Keyed
from services.gateway.parts import Parts


async def _parts(request: Request) -> Parts:
    return _parts_of(request)


def _parts_of(request: Request) -> Parts:
    """Return the parts where one has the request: to depend on them costs more than to look."""
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]

# It only reads the header, and documents where tokens come from; what is wrong with a token
# is said by Access, in our own words.
_bearer = OAuth2PasswordBearer(
    tokenUrl="/v1/auth/token", auto_error=False, scopes={str(k): v for k, v in MEANING.items()}
)

# It comes in the same header, and is here for the document alone.
_api_key = HTTPBearer(
    scheme_name="ApiKey", bearerFormat="dsk_…", description="Of a service.", auto_error=False
)


SESSION_COOKIE = "__Host-dermserve-session"

PAGE_OF = "page_of"
"""The parameter by which forms of our pages name the user whom they were made for."""

PAGE_OF_HEADER = "X-Dermserve-User"
"""How scripts of our pages do."""

_session_cookie = APIKeyCookie(
    name=SESSION_COOKIE,
    scheme_name="Session",
    description="Of somebody who is signed in to our pages; only they send it.",
    auto_error=False,
)


async def _presented(
    token: Annotated[str | None, Depends(_bearer)],
    session: Annotated[str | None, Depends(_session_cookie)],
) -> str | None:
    return Session(session) if token is None and session else token


PresentedDep = Annotated[str | None, Depends(_presented)]
"""What shows who is calling: a token or an API key, else the session of a browser."""


async def take_for_token(
    request: HTTPConnection, parts: Parts, holder: str | None, *, though_spent: bool = False
) -> None:
    """Take what this operation costs of the quota of whoever holds the token that came.

    A bad one is of nobody: it is counted for its address, apart from those who sign in there, so
    that one broken client keeps no others out who share the address.

    Args:
        request: that brought the token.
        parts: of this process.
        holder: id of the user or the API key; None for a bad token.
        though_spent: whether it may be asked even if not so much is left; not with a bad one.

    Raises:
        QuotaExceededError: not so much is left.

    """
    if holder is None:
        await tolls.take(request, parts.bad_token_quota, tolls.address(request))
    else:
        await tolls.take(request, parts.caller_quota, holder, though_spent=though_spent)


async def _by_address(request: Request) -> None:
    await tolls.take(request, _parts_of(request).address_quota, tolls.address(request))


AddressQuota = Depends(_by_address)
"""For what asks for nobody."""


async def identified(request: Request, presented: PresentedDep) -> Caller:
    """Return who is calling, and take of their quota; raises what ``Access.identify`` does."""
    return await identify(request, _parts_of(request), presented)


async def identify(
    request: Request,
    parts: Parts,
    presented: str | None,
    *,
    though_spent: bool = False,
    by_itself: bool = False,
) -> Caller:
    """Do the same, if asked also for who has spent their quota; a key pays as ever.

    What a browser asks ``by_itself`` is no use of a session.
    """
    try:
        caller = await parts.access.identify(presented, by_itself=by_itself)
    except errors.EndedError as error:
        # Who goes on with it leaves others at the address the 401 after which they refresh.
        await tolls.spend(request, parts.bad_token_quota, error.sign_in_id)
        raise
    except errors.UnauthenticatedError:
        # Or else nothing would slow who tries keys. What else is wrong is told to who is known.
        await tolls.spend(request, parts.bad_token_quota, tolls.address(request))
        raise
    # For a page of whatever goes wrong from here on.
    request.state.caller = caller
    if isinstance(presented, Session):
        _see_whose_page(request, caller)
    holder = (caller.key or caller.user).id
    await take_for_token(request, parts, holder, though_spent=though_spent and caller.key is None)
    return caller


def _see_whose_page(request: Request, caller: Caller) -> None:
    """Refuse what a page of one user asks for after somebody else signed in in the browser."""
    meant = request.query_params.get(PAGE_OF) or request.headers.get(PAGE_OF_HEADER)
    if meant is not None and meant != caller.user.id:
        raise errors.SomebodyElseError(
            "Somebody else has signed in in this browser: it is signed in as "
            f"{caller.user.username} by now. Nothing was changed: sign out, sign in as yourself, "
            "and do it again."
        )


_IdentifiedDep = Annotated[Caller, Depends(identified)]


async def _identified_by_itself(request: Request, presented: PresentedDep) -> Caller:
    return await identify(request, _parts_of(request), presented, by_itself=True)


async def _identified_though_spent(request: Request, presented: PresentedDep) -> Caller:
    return await identify(request, _parts_of(request), presented, though_spent=True)


async def _begun(request: Request) -> None:
    await audit.begin(request.scope, audit.noted(), _parts_of(request).trail)


Begun = Depends(_begun)
"""For what changes something for whoever asks; of the others the caller is known first."""


async def _caller(
    needed: SecurityScopes,
    caller: _IdentifiedDep,
    request: Request,
    _: Annotated[object, Depends(_api_key)],
) -> Caller:
    for permission in needed.scopes:
        caller.require(Permission(permission))
    await _begun(request)
    return caller


async def _watcher(
    needed: SecurityScopes,
    caller: Annotated[Caller, Depends(_identified_by_itself)],
    request: Request,
    _: Annotated[object, Depends(_api_key)],
) -> Caller:
    return await _caller(needed, caller, request, _)


async def _sender(
    needed: SecurityScopes,
    caller: Annotated[Caller, Depends(_identified_though_spent)],
    request: Request,
    _: Annotated[object, Depends(_api_key)],
) -> Caller:
    for permission in needed.scopes:
        caller.require(Permission(permission))
    if tolls.is_settled(request):
        await _begun(request)
    return caller


async def _signed_in(caller: _IdentifiedDep, request: Request) -> SignedIn:
    signed_in = in_sign_in(caller)
    await _begun(request)
    return signed_in


CallerDep = Annotated[Caller, Depends(_caller)]
SignedInDep = Annotated[SignedIn, Depends(_signed_in)]
ReaderDep = Annotated[Caller, Security(_caller, scopes=[Permission.READ])]
# Pages open streams by themselves, again and again, for as long as they are open.
WatcherDep = Annotated[Caller, Security(_watcher, scopes=[Permission.READ])]
WriterDep = Annotated[Caller, Security(_caller, scopes=[Permission.WRITE])]
# Who changes a record is shown it.
EditorDep = Annotated[Caller, Security(_caller, scopes=[Permission.READ, Permission.WRITE])]
# The same for a form that says itself that a quota is spent: ``tolls.settle`` must be asked.
SenderDep = Annotated[Caller, Security(_sender, scopes=[Permission.READ, Permission.WRITE])]
RemoverDep = Annotated[Caller, Security(_caller, scopes=[Permission.DELETE])]
# Whoever assesses an analysis is shown what stands there then.
AssessorDep = Annotated[Caller, Security(_caller, scopes=[Permission.READ, Permission.ASSESS])]
AdminDep = Annotated[Caller, Security(_caller, scopes=[Permission.MANAGE])]
WebhooksDep = Annotated[Caller, Security(_caller, scopes=[Permission.WEBHOOKS])]


DEVICE_COOKIE = "__Host-dermserve-device"
_LONGEST_DEVICE = 128


async def _origin(
    request: Request,
    device: Annotated[
        str | None,
        Cookie(
            alias=DEVICE_COOKIE,
            description="As an earlier sign-in gave it; any other is as good as none.",
        ),
    ] = None,
) -> Origin:
    # Nobody can be told what is wrong with a cookie: browsers send it by themselves.
    ours = device if device is not None and len(device) <= _LONGEST_DEVICE else None
    return Origin(request.client.host if request.client else None, ours)


OriginDep = Annotated[Origin, Depends(_origin)]


async def _idempotency_key(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            # A string as structured fields have it (RFC 9651), or the same without quotes.
            pattern=r'^(?:"[ !#-\[\]-~]{1,255}"|[!#-\[\]-~]{1,255})$',
            description="Makes it safe to send the request again: it is carried out once.",
        ),
    ] = None,
) -> str | None:
    return None if key is None else key.strip('"')


IdempotencyKeyDep = Annotated[str | None, Depends(_idempotency_key)]


async def _keyed(request: Request, key: IdempotencyKeyDep) -> Keyed | None:
    return None if key is None else Keyed(request.url.path, key, (await request.body(),))


KeyedDep = Annotated[Keyed | None, Depends(_keyed)]


async def _secret_keyed(keyed: KeyedDep) -> Keyed | None:
    return None if keyed is None else replace(keyed, secret=True)


SecretKeyedDep = Annotated[Keyed | None, Depends(_secret_keyed)]
"""For bodies with a password."""


async def _analysis_deadline(request: Request) -> Deadline:
    return Deadline.after(_parts_of(request).analysis_timeout_s)


AnalysisDeadlineDep = Annotated[Deadline, Depends(_analysis_deadline)]

Limit = Annotated[int, Query(ge=1, le=100, description="The most items of a page.")]
Cursor = Annotated[
    str | None,
    Query(
        max_length=128,
        description="`next_cursor` of the page before; leave out at first.",
        json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"},
    ),
]
