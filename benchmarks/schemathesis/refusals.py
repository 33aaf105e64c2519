"""Refusals of valid requests that no document can foresee, each with its reason.

Schemathesis holds it for a fault when a request that keeps the document is refused. Where only the
gateway can know what is right, that says nothing; those refusals are named here and no others.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from services.gateway.protocol import MAX_TARGET_BYTES


class Refusal(NamedTuple):
    """A refusal.

    Attributes:
        type: of the problem, without the page.
        detail: what its sentence has.
        reason: why the document cannot say it.

    """

    type: str
    detail: str
    reason: str


FORESEEN_BY_NOBODY = (
    Refusal(
        "missing-condition",
        "",
        "that If-Match is needed where If-None-Match does not stand for it, no schema can say",
    ),
    Refusal(
        "invalid-request",
        r"It is there twice",
        "forms repeat what a schema takes for one (RFC 6749, 3.2, forbids it)",
    ),
    Refusal("changed-meanwhile", "", "which revision a record has is known to who read it"),
    Refusal("invalid-request", r"^The cursor is not one of ours", "cursors are given, not made up"),
    Refusal(
        "invalid-request",
        r"^Idempotency-Key: it came with another request",
        "which keys were used is known to who used them",
    ),
    Refusal(
        "invalid-request",
        r"^(patient|lesion|user_id): there is no",
        "which records there are is known to who made them",
    ),
    Refusal(
        "invalid-request",
        r"^body\.name: Must have at (least \d+ characters that names|most \d+ words)",
        "which characters of a name count, and which part its words, no schema can say",
    ),
    Refusal(
        "invalid-request",
        r"birth_date: Must be between 1850 and today",
        "which day it is stands in no document",
    ),
    Refusal(
        "invalid-request",
        r"^query\.(since|until): (It must be (from 2000|a day after)|Ask for at most)",
        "how far days lie apart, and which are counted, stands in no document",
    ),
    Refusal(
        "invalid-request",
        r"^reason: say why you do not agree",
        "with what a verdict does not agree stands in the prediction, in no document",
    ),
    Refusal("invalid-request", r"password", "which passwords are common stands in no document"),
    Refusal(
        "invalid-request",
        r"^url: this ",
        "where a name leads, and whether one may go there, stands in no document",
    ),
    Refusal("invalid-logout-token", "", "which tokens are signed is known to who signs them"),
    Refusal("invalid-picture", "", "what is a picture, JSON Schema cannot say"),
    Refusal("too-large", "pixels", "how large a picture is, JSON Schema cannot say"),
)


def foreseen_by_nobody(problem: Mapping[str, Any], target: str) -> bool:
    """Return whether a problem is one of those, for what was asked for as it went out."""
    kind = str(problem.get("type", "")).rpartition("#")[2]
    if kind == "target-too-long":
        # How long what is allowed is once it is escaped, no document can say.
        return len(target) > MAX_TARGET_BYTES
    detail = str(problem.get("detail", ""))
    return any(
        kind == refusal.type and re.search(refusal.detail, detail) for refusal in FORESEEN_BY_NOBODY
    )
