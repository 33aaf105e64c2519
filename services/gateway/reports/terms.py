"""What whoever asks for a report need not say."""

from dataclasses import dataclass

from services.gateway.report_settings import Language


@dataclass(frozen=True, slots=True)
class ReportTerms:
    """How reports are given.

    Attributes:
        language: for whoever asks for none that there is.
        timeout_s: seconds that a report may take.
        batch_timeout_s: the same for one of a batch.

    """

    language: Language
    timeout_s: float
    batch_timeout_s: float
