"""What Schemathesis loads from us: its check of refusals, in our words."""

import json
import os
from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

from benchmarks.schemathesis.refusals import foreseen_by_nobody

RECEIVER = "https://127.0.0.1:9/hooks"
"""Where webhooks may lead in these runs; nobody listens there."""


KNOWN = "DERMSERVE_SCHEMATHESIS_KNOWN"
"""The variable with the records that there are: ids, as many as the path of an operation has, by
the operations that ask for them."""

ADMIN, CLINICIAN = "the.asking.admin", "the.asking.clinician"
ASKING = (ADMIN, CLINICIAN)
"""Who asks."""

_known: dict[str, list[str]] = json.loads(os.environ.get(KNOWN, "{}"))


@schemathesis.check
def valid_data_acceptance(ctx: Any, response: Any, case: Any) -> None:
    """Fail where a request that keeps the document is refused, and the document could know."""
    if "problem+json" not in response.headers.get("content-type", [""])[0] or not (
        foreseen_by_nobody(response.json(), response.request.path_url)
    ):
        positive_data_acceptance(ctx, response, case)


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """Say where tokens of OAuth 2 come: who tries to come without one leaves it out there."""
    del context
    raw_schema["components"]["securitySchemes"]["OAuth2PasswordBearer"] = {
        "type": "http",
        "scheme": "bearer",
    }
    # Whoever shows a refresh token in the body needs none of the others.
    raw_schema["paths"]["/v1/auth/logout"]["post"]["security"].append({})


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Say what no document can: which records there are, who may be told, the end of streams.

    Whoever followed a stream would do so for ever. Whoever guessed the password of those who ask,
    whose names are in answers, would make them wait as an owner does after wrong ones.
    """
    del context, kwargs
    meant = case.meta is not None and case.meta.generation.mode.is_positive
    if meant and case.operation.path == "/v1/webhooks" and isinstance(case.body, dict):
        case.body = {**case.body, "url": RECEIVER}
    names = isinstance(case.body, dict) and case.operation.path == "/v1/auth/token"
    if names and case.body.get("username") in ASKING:
        case.body = {**case.body, "username": "the.one.who.is.guessed"}
    known = _known.get(case.operation.definition.raw.get("operationId", ""))
    # What has come to an operation by links has its record by itself.
    if meant and known and case.meta.phase.name.value != "stateful":
        case.path_parameters = dict(zip(case.path_parameters, known, strict=True))
        if "if-match" in case.headers:
            case.headers = {**case.headers, "if-match": "*"}
    if case.operation.path == "/v1/events" and case.method == "GET":
        query = case.query if isinstance(case.query, dict) else {}
        if str(query.get("follow", "true")).lower() in {"true", "t", "yes", "y", "on", "1"}:
            case.query = {**query, "follow": "false"}
