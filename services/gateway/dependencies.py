"""What routes ask for: the parts of this process, and who is calling."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.security import OAuth2PasswordBearer

from services.gateway.analyses import Analyzer, History, Views
from services.gateway.clients import Inference
from services.gateway.deadlines import Deadline
from services.gateway.health import Health
from services.gateway.identity import Access, Accounts, Caller, Passwords, SignIns
from services.gateway.metrics import Metrics
from services.gateway.places import Places
from services.gateway.security.keys import SigningKey
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
    key: SigningKey
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
_bearer = OAuth2PasswordBearer(tokenUrl="/v1/auth/token", auto_error=False)


async def _caller(parts: PartsDep, token: Annotated[str | None, Depends(_bearer)]) -> Caller:
    return await parts.access.identify(token)


CallerDep = Annotated[Caller, Depends(_caller)]
OptionalTokenDep = Annotated[str | None, Depends(_bearer)]


async def _admin(caller: CallerDep) -> Caller:
    caller.require_admin()
    return caller


AdminDep = Annotated[Caller, Depends(_admin)]


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
