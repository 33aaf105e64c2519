"""What routes ask for: the parts of this process, and who is calling."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Cookie, Depends, Query, Request, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from services.gateway.analyses import Analyzer, History, Views
from services.gateway.clients import Inference
from services.gateway.deadlines import Deadline
from services.gateway.health import Health
from services.gateway.identity import (
    Access,
    Accounts,
    Caller,
    Origin,
    Passwords,
    Permission,
    SignIns,
)
from services.gateway.identity.permissions import MEANING
from services.gateway.metrics import Metrics
from services.gateway.places import Places
from services.gateway.security.key_ring import KeyRing
from services.gateway.uploads import Bodies


@dataclass(frozen=True, slots=True)
class Parts:
    """All that the process owns and routes use."""

    access: Access
    accounts: Accounts
    analyzer: Analyzer
    bodies: Bodies
    health: Health
    history: History
    inference: Inference
    keys: KeyRing
    metrics: Metrics
    passwords: Passwords
    places: Places
    sign_ins: SignIns
    views: Views
    analysis_timeout_s: float
    report_timeout_s: float
    registration_open: bool


async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(_parts)]

# It only reads the header, and documents where tokens come from; what is wrong with a token
# is said by Access, in our own words.
_bearer = OAuth2PasswordBearer(
    tokenUrl="/v1/auth/token", auto_error=False, scopes={str(k): v for k, v in MEANING.items()}
)


async def _caller(
    needed: SecurityScopes, parts: PartsDep, token: Annotated[str | None, Depends(_bearer)]
) -> Caller:
    caller = await parts.access.identify(token)
    for permission in needed.scopes:
        caller.require(Permission(permission))
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]
ReaderDep = Annotated[Caller, Security(_caller, scopes=[Permission.READ])]
WriterDep = Annotated[Caller, Security(_caller, scopes=[Permission.WRITE])]
RemoverDep = Annotated[Caller, Security(_caller, scopes=[Permission.DELETE])]
AdminDep = Annotated[Caller, Security(_caller, scopes=[Permission.MANAGE])]
OptionalTokenDep = Annotated[str | None, Depends(_bearer)]


DEVICE_COOKIE = "__Secure-dermserve-device"


async def _origin(
    request: Request,
    device: Annotated[str | None, Cookie(alias=DEVICE_COOKIE, max_length=128)] = None,
) -> Origin:
    return Origin(request.client.host if request.client else None, device)


OriginDep = Annotated[Origin, Depends(_origin)]


async def _analysis_deadline(parts: PartsDep) -> Deadline:
    return Deadline.after(parts.analysis_timeout_s)


async def _report_deadline(parts: PartsDep) -> Deadline:
    return Deadline.after(parts.report_timeout_s)


AnalysisDeadlineDep = Annotated[Deadline, Depends(_analysis_deadline)]
ReportDeadlineDep = Annotated[Deadline, Depends(_report_deadline)]

Limit = Annotated[int, Query(ge=1, le=100, description="The most items of a page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=128, description="`next_cursor` of the page before; leave out at first."),
]
