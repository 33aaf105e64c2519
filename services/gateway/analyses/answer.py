"""The answer of an analysis, where there is one."""

from services.gateway import errors
from services.gateway.findings import Findings
from services.gateway.records import Analysis, Status


def findings_of(record: Analysis, what: str) -> Findings:
    """Return what was found in a picture.

    Args:
        record: of the analysis.
        what: is asked for; a word for the sentence that refuses it.

    Raises:
        NotFoundError: the analysis has failed, so there will never be any.
        NotFinishedError: there is no answer yet.

    """
    if record.status == Status.FAILED:
        raise errors.NotFoundError(f"This analysis has no {what}: it failed. See its problem.")
    if record.findings is None:
        raise errors.NotFinishedError(
            f"This analysis has no {what} yet: it is {record.status}. Try again shortly."
        )
    return Findings.model_validate(record.findings)
