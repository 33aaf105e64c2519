"""Errors on the wire: problem details (RFC 9457), the same shape for whatever goes wrong."""

import http
import math
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import Scope

from services import telemetry
from services.gateway import errors, faults, kinds
from services.gateway.audit import noted

MEDIA_TYPE = "application/problem+json"

PAGE = "/docs/problems"
"""Where the kinds are explained: a problem's type leads to its paragraph."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NOWHERE = "There is nothing at this path. GET /docs lists what there is."
_NOT_TAKEN = "This path does not take this method. The header Allow says which."
_WAIT = {http.HTTPStatus.TOO_MANY_REQUESTS, http.HTTPStatus.SERVICE_UNAVAILABLE}

_log = telemetry.logger(__name__)


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(
        description="Names the kind of problem, and leads to what there is to say of it; relative "
        "to the address of the gateway. It is never `about:blank`.",
        examples=[f"{PAGE}#not-found"],
    )
    title: str = Field(description="The kind of problem in words; the same at every occurrence.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What happened this time, and what to do.")
    instance: str = Field(description="The path that was asked for.")
    request_id: str | None = Field(description="Finds this request in the logs of every service.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of a route that can fail with these statuses.

    Every route asks the database, which may be down; and nobody is free of faults. Who has to
    say who they are has a quota.
    """
    quota = {429} if http.HTTPStatus.UNAUTHORIZED in statuses else set()
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": http.HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": reference}},
        }
        for status in sorted({*statuses, *quota, 500, 503})
    }


def answer(error: Exception, scope: Scope, **members: Any) -> Response:
    """Return the answer for an error; an unknown one is logged and says nothing of itself.

    Args:
        error: what happened.
        scope: of the request.
        members: further members of the problem.

    """
    kind = kinds.kind_of(error)
    if kind is kinds.UNKNOWN:
        _log.error("request failed", exc_info=error)
    elif kind.detail is not None:
        _log.warning("request failed", error=type(error).__name__, cause=str(error))
    return _render(
        scope,
        kind,
        kind.detail or str(error),
        headers(error),
        **getattr(error, "members", {}),
        **members,
    )


def install(app: FastAPI) -> None:
    """Answer every error of an application with a problem."""
    for kind in kinds.KINDS:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _by_status)


def headers(error: Exception) -> dict[str, str]:
    """Return what the head of an answer says of an error."""
    if isinstance(error, errors.UnauthenticatedError):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, errors.MethodNotAllowedError):
        return {"Allow": ", ".join(sorted(error.allowed))}
    if isinstance(error, errors.MalformedError):
        # Where the next request would begin is not certain.
        return {"Connection": "close"}
    if kinds.kind_of(error).status in _WAIT or hasattr(error, "retry_after_s"):
        return {"Retry-After": str(max(1, math.ceil(getattr(error, "retry_after_s", 1))))}
    return {}


async def _known(request: Request, error: Exception) -> Response:
    return answer(error, request.scope)


async def _by_status(request: Request, error: Exception) -> Response:
    """Answer what the framework raises: no such path, wrong method, unreadable body."""
    cause = error.__cause__
    if isinstance(cause, errors.GatewayError):
        return answer(cause, request.scope)
    if not isinstance(error, HTTPException):
        raise TypeError(type(error)) from error
    if error.status_code == http.HTTPStatus.BAD_REQUEST:
        # A body that cannot be read is as wrong as one that breaks the rules.
        return answer(errors.InvalidRequestError(f"{error.detail.rstrip('.')}."), request.scope)
    if error.status_code == http.HTTPStatus.NOT_FOUND:
        return answer(errors.NoSuchPathError(_NOWHERE), request.scope)
    if error.status_code == http.HTTPStatus.METHOD_NOT_ALLOWED:
        refusal = errors.MethodNotAllowedError(_NOT_TAKEN, _allowed(request))
        if request.method == "OPTIONS":
            return Response(status_code=http.HTTPStatus.NO_CONTENT, headers=headers(refusal))
        return answer(refusal, request.scope)
    return answer(error, request.scope)


def _allowed(request: Request) -> set[str]:
    """Return the methods that this path takes; the framework names those of one route."""
    taken = {
        method
        for method in _METHODS
        for route in request.app.routes
        if route.matches({**request.scope, "method": method})[0] == Match.FULL
    }
    return taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set())


async def _invalid(request: Request, error: Exception) -> Response:
    """Answer a request that breaks the rules of its route, without repeating its values."""
    if not isinstance(error, RequestValidationError):
        raise TypeError(type(error)) from error
    found = [
        {"field": ".".join(map(str, fault["loc"])), "message": faults.message(fault)}
        for fault in error.errors()
    ]
    first = found[0]
    kind = kinds.KINDS[errors.InvalidRequestError]
    return _render(request.scope, kind, f"{first['field']}: {first['message']}.", errors=found)


def _render(
    scope: Scope,
    kind: kinds.Kind,
    detail: str,
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    noted().problem = kind.slug
    body = {
        "type": f"{PAGE}#{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        "instance": scope["path"],
        "request_id": telemetry.current_request_id(),
        **members,
    }
    return JSONResponse(body, kind.status, headers, MEDIA_TYPE)
