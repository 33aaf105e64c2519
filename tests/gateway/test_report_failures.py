"""Why pictures failed, in the words of reports: each reason that a record can have."""

import pytest

from services.gateway import errors, kinds
from services.gateway.clients.report_failures import _OTHERWISE, failure

FAILURES = (
    # Of a file of a batch that is taken in.
    errors.InvalidPictureError,
    errors.TooLargeError,
    # Of a batch that is cancelled.
    errors.WithdrawnError,
    # Of a picture that is tried: its own, those of inference and of the store, and any other.
    errors.OwnerDisabledError,
    errors.DamagedPictureError,
    errors.BusyError,
    errors.ServiceDownError,
    errors.StoreUnavailableError,
    errors.DeadlinePassedError,
    errors.UpstreamError,
    FileNotFoundError,
    OSError,
    Exception,
)
"""With what an analysis can end without an answer."""


def test_what_has_no_words_in_a_language_is_quoted() -> None:
    problem = {"kind": "of-tomorrow", "detail": "Something new."}
    assert failure(problem, "de") == "Something new."


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: error.__name__)
def test_each_failure_that_a_record_can_have_has_german_words(error: type[Exception]) -> None:
    kind = kinds.kind_of(error.__new__(error))
    said = failure({"kind": kind.slug, "detail": "in English"}, "de")
    assert said == _OTHERWISE["de"][kind.slug] != "in English"


def test_only_kinds_of_problems_that_there_are_have_words_in_a_language() -> None:
    for said in _OTHERWISE.values():
        assert said.keys() <= {kind.slug for kind in kinds.ALL}
