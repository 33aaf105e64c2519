"""The gateway keeps what its OpenAPI document says; the long run of this is a benchmark."""

import pytest

from benchmarks.schemathesis.exploration import explored, gateway
from benchmarks.schemathesis.hooks import ADMIN, CLINICIAN
from benchmarks.schemathesis.refusals import foreseen_by_nobody


@pytest.mark.timeout(900)  # twice as long on a machine that has other work
@pytest.mark.parametrize("user", [ADMIN, CLINICIAN])
def test_nothing_is_found_in_a_few_seconds(user: str) -> None:
    with gateway() as what:
        for seconds in (10, 60):  # a busy machine comes to few requests in a few seconds
            found = explored(what, user, seconds, seed=7)
            assert (found["failures"], found["errors"]) == ([], []), found["output"]
            if found["test_cases"]["generated"] > 50:
                break
    assert found["test_cases"]["generated"] > 50


def test_a_refusal_counts_as_unforeseen_for_its_own_reason_only() -> None:
    def refused(kind: str, detail: str, target: str = "/v1/me") -> bool:
        return foreseen_by_nobody({"type": f"/docs/problems#{kind}", "detail": detail}, target)

    assert refused("changed-meanwhile", "It was changed since you saw it.")
    assert refused("invalid-request", "The cursor is not one of ours. Use next_cursor.")
    assert refused("invalid-request", "body.a: It is there twice.")
    assert refused("missing-condition", "Say in If-Match which ETag the change is meant for.")
    assert refused("invalid-request", "body.birth_date: Must be between 1850 and today.")
    few = "Must have at least 2 characters that names are told by"
    assert refused("invalid-request", f"body.name: {few}.")
    assert refused("invalid-request", "body.name: Must have at most 10 words.")
    assert refused("invalid-request", "reason: say why you do not agree.")
    assert not refused("invalid-request", "body.reason: say why you do not agree.")
    assert not refused("invalid-request", "body.name: Field required.")
    assert not refused("unsupported-media-type", "The cursor is not one of ours.")
    assert refused("target-too-long", "Ask for less.", "/" + "a" * 65_535)
    assert not refused("target-too-long", "Ask for less.", "/" + "a" * 65_534)
