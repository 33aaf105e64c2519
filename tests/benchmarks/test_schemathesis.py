"""The gateway keeps what its OpenAPI document says; the long run of this is a benchmark."""

import pytest

from benchmarks.schemathesis.exploration import ADMIN, CLINICIAN, explored, gateway
from benchmarks.schemathesis.refusals import foreseen_by_nobody


@pytest.mark.parametrize("user", [ADMIN, CLINICIAN])
def test_nothing_is_found_in_a_few_seconds(user: str) -> None:
    with gateway() as what:
        found = explored(what, user, seconds=10, seed=7)
    assert (found["failures"], found["errors"]) == ([], []), found["output"]
    assert found["test_cases"]["generated"] > 50


def test_a_refusal_counts_as_unforeseen_for_its_own_reason_only() -> None:
    def refused(kind: str, detail: str, target: str = "/v1/me") -> bool:
        return foreseen_by_nobody({"type": f"/docs/problems#{kind}", "detail": detail}, target)

    assert refused("changed-meanwhile", "It was changed since you saw it.")
    assert refused("invalid-request", "The cursor is not one of ours. Use next_cursor.")
    assert not refused("invalid-request", "body.name: Field required.")
    assert not refused("unsupported-media-type", "The cursor is not one of ours.")
    assert refused("target-too-long", "Ask for less.", "/" + "a" * 65_535)
    assert not refused("target-too-long", "Ask for less.", "/" + "a" * 65_534)
